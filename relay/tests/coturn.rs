//! Interoperation with coturn, both ways round: its client on our relay, our client on its relay.
#![expect(clippy::disallowed_types, reason = "finds free ports for the tools and echoes like a peer")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up fails there")]

#[cfg(test)]
mod endpoint;

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use endpoint::{Endpoint, PATIENCE};
use relay::client::{BindingClient, TurnEvent};
use relay::driver::RelayServer;
use relay::server::{PeerPolicy, PeerProof, ServerConfig, TlsCertificate, TlsListen};
use relay::{CredentialIssuer, Credentials, driver};

/// Printable, since coturn is told the secret as text.
const SECRET: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn the_client_of_coturn_relays_to_a_peer_over_channels() {
    uclient_relays(&["-c"], Peer::Echo).await;
}

#[tokio::test]
async fn the_client_of_coturn_relays_to_a_peer_by_send_indications() {
    uclient_relays(&["-c", "-s"], Peer::Echo).await;
}

#[tokio::test]
async fn two_clients_of_coturn_meet_on_our_relay() {
    uclient_relays(&["-c", "-y"], Peer::EachOther).await;
}

#[tokio::test]
async fn the_client_of_coturn_relays_over_tcp() {
    uclient_relays(&["-c", "-t"], Peer::Echo).await;
    uclient_relays(&["-c", "-t", "-s"], Peer::Echo).await;
    uclient_relays(&["-c", "-t", "-y"], Peer::EachOther).await;
}

#[tokio::test]
async fn the_client_of_coturn_relays_over_tls() {
    uclient_relays(&["-c", "-t", "-S"], Peer::Echo).await;
    uclient_relays(&["-c", "-t", "-S", "-y"], Peer::EachOther).await;
}

#[tokio::test]
async fn the_binding_client_of_coturn_learns_its_address() {
    let server = RelayServer::start(lab()).await.unwrap();
    let port = server.local_addr().port().to_string();
    let output = finished(Tool::start("turnutils_stunclient", &["-p", &port, "127.0.0.1"])).await;
    assert!(output.contains("UDP reflexive addr: 127.0.0.1:"), "{output}");
    server.shutdown().await;
}

#[tokio::test]
async fn our_client_allocates_binds_and_relays_on_coturn() {
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let _coturn = start_coturn(server.port());
    answers(server).await;
    let mut ada = Endpoint::new(server, credentials("ada"), 1).await;
    let mut bob = Endpoint::new(server, credentials("bob"), 2).await;
    let mut relayed = Vec::new();
    for endpoint in [&mut ada, &mut bob] {
        match endpoint.event().await {
            TurnEvent::Allocated { relayed: address, lifetime, .. } => {
                assert_eq!(lifetime, Duration::from_secs(600));
                relayed.push(address);
            }
            other => panic!("no allocation: {other:?}"),
        }
    }
    for (endpoint, peer) in [(&mut ada, relayed[1]), (&mut bob, relayed[0])] {
        endpoint.client.bind_channel(driver::now().instant, peer).unwrap();
        assert_eq!(endpoint.event().await, TurnEvent::PeerReady(peer));
    }
    ada.client.send(driver::now().instant, relayed[1], b"hello").unwrap();
    ada.flush().await;
    assert_eq!(bob.payload().await, (relayed[0], b"hello".to_vec()));
    bob.client.send(driver::now().instant, relayed[0], b"hello back").unwrap();
    bob.flush().await;
    assert_eq!(ada.payload().await, (relayed[1], b"hello back".to_vec()));
    ada.client.release(driver::now().instant);
    assert_eq!(ada.event().await, TurnEvent::Closed);
}

#[tokio::test]
async fn coturn_refusing_our_credentials_is_told_as_such() {
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let _coturn = start_coturn(server.port());
    answers(server).await;
    let wrong = Credentials { password: "wrong".into(), ..credentials("ada") };
    let mut ada = Endpoint::new(server, wrong, 1).await;
    let reason = relay::client::TurnFailure::Unauthorized;
    assert_eq!(ada.event().await, TurnEvent::Failed { reason });
}

enum Peer {
    Echo,
    EachOther,
}

/// Runs coturn's load tool against our relay: every message it sends has to come back.
async fn uclient_relays(options: &[&str], peer: Peer) {
    const MESSAGES: &str = "20";
    let tls = TlsListen { listen: "127.0.0.1:0".parse().unwrap(), certificate: TlsCertificate::SelfSigned };
    let server = RelayServer::start(ServerConfig { tls: Some(tls), ..lab() }).await.unwrap();
    let Credentials { username, password } = credentials("uclient");
    let echo = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let listening = if options.contains(&"-S") { server.tls_addr().unwrap() } else { server.local_addr() };
    let (port, peer_port) = (listening.port().to_string(), echo.local_addr().unwrap().port().to_string());
    let mut arguments = vec!["-p", &port, "-u", &username, "-w", &password, "-n", MESSAGES, "-m", "2"];
    arguments.extend(["-e", "127.0.0.1", "-r", &peer_port]);
    arguments.extend(options);
    arguments.push("127.0.0.1");
    let _echo = Echo::start(echo);
    let output = finished(Tool::start("turnutils_uclient", &arguments)).await;
    let stats = server.stats();
    server.shutdown().await;
    assert!(output.contains("tot_send_msgs=40, tot_recv_msgs=40"), "{stats:?}\n{output}");
    match peer {
        Peer::Echo => assert_eq!(stats.packets_in_memory, 0, "{stats:?}"),
        Peer::EachOther => assert_eq!(stats.packets_in_memory, stats.packets_to_peers, "{stats:?}"),
    }
    assert_eq!(stats.malformed, 0, "{stats:?}");
}

/// Sends everything back to where it came from, until dropped.
struct Echo(tokio::task::JoinHandle<()>);

impl Echo {
    fn start(socket: UdpSocket) -> Self {
        socket.set_nonblocking(true).unwrap();
        let socket = tokio::net::UdpSocket::from_std(socket).unwrap();
        Self(tokio::spawn(async move {
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let _ = socket.send_to(&buffer[..length], from).await;
            }
        }))
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A program of coturn, killed when dropped.
struct Tool(Child);

impl Tool {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap_or_else(|error| {
            panic!("{program}: {error}. This test needs the Debian package coturn: run `make setup`")
        }))
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a tool printed until it ended by itself.
async fn finished(mut tool: Tool) -> String {
    let mut stdout = tool.0.stdout.take().unwrap();
    let reading = tokio::task::spawn_blocking(move || {
        let mut output = Vec::new();
        stdout.read_to_end(&mut output).map(|_| String::from_utf8_lossy(&output).into_owned())
    });
    let output = tokio::time::timeout(PATIENCE, reading).await;
    drop(tool);
    output.expect("the tool ends in time").unwrap().unwrap()
}

fn start_coturn(port: u16) -> Tool {
    let port = port.to_string();
    let secret = str::from_utf8(&SECRET).unwrap();
    let directory = env!("CARGO_TARGET_TMPDIR");
    let pid_file = format!("{directory}/coturn-{port}.pid");
    let database = format!("{directory}/coturn-{port}.db");
    let mut tool = Tool::start(
        "turnserver",
        &[
            "-n",
            "-L",
            "127.0.0.1",
            "-p",
            &port,
            "--realm=test",
            "--use-auth-secret",
            "--static-auth-secret",
            secret,
            "--no-tls",
            "--no-dtls",
            "--no-tcp",
            "--no-cli",
            "--allow-loopback-peers",
            "--simple-log",
            "-l",
            "/dev/null",
            "--pidfile",
            &pid_file,
            "--db",
            &database,
        ],
    );
    // Nobody reads its output: a full pipe would stop it.
    drop(tool.0.stdout.take());
    tool
}

/// Returns once a STUN server answers at `server`.
async fn answers(server: SocketAddr) {
    let answered = async {
        let mut buffer = [0; 200];
        loop {
            let socket = endpoint::socket().await;
            let mut client = BindingClient::new(server, [3; 32], driver::now().instant);
            socket.send_to(&client.poll_transmit().unwrap(), server).await.unwrap();
            if tokio::time::timeout(Duration::from_millis(100), socket.recv_from(&mut buffer)).await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.expect("turnserver starts (Debian package coturn)");
}

/// coturn cannot choose a port itself.
fn free_port() -> u16 {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn lab() -> ServerConfig {
    let listen = "127.0.0.1:0".parse().unwrap();
    ServerConfig {
        peers: PeerPolicy::Lab,
        proof: PeerProof::Waived,
        ..ServerConfig::new(listen, SECRET, [9; 32])
    }
}

fn credentials(id: &str) -> Credentials {
    CredentialIssuer::new(SECRET).issue(driver::now().unix, id, Duration::from_secs(600))
}
