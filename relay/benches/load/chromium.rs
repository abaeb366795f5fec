//! A stock browser over our relay: two peer connections of headless Chromium that may use nothing but relayed candidates
//! talk for some seconds, over UDP and over TCP, with every rule of a volunteer's relay in force, proof of peers included.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use relay::driver::{self, RelayServer};
use relay::server::{PeerPolicy, ServerConfig};
use relay::{CredentialIssuer, Credentials};
use serde_json::{Value, json};

use crate::Outcome;
use crate::place::SECRET;

const PATIENCE: Duration = Duration::from_secs(90);
/// Step 77 of `make test`: this system cannot run it.
const CANNOT_RUN: u8 = 77;
/// At least this many of the 50 voice packets a second that a browser sends in five seconds.
const PACKETS: u64 = 150;

pub(crate) fn run() -> Outcome<ExitCode> {
    if !Command::new("chromium").arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    {
        eprintln!("load: there is no chromium here (Debian package chromium)");
        return Ok(ExitCode::from(CANNOT_RUN));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut calls = Vec::new();
    for transport in ["udp", "tcp"] {
        // The browser's own address is the machine's; a lab's peers may be private, and must prove themselves all the same.
        let listen = "127.0.0.1:0".parse()?;
        let config = ServerConfig { peers: PeerPolicy::Lab, ..ServerConfig::new(listen, SECRET, [9; 32]) };
        let server = runtime.block_on(RelayServer::start(config))?;
        let told = call(server.local_addr().port(), transport)?;
        let stats = server.stats();
        runtime.block_on(server.shutdown());
        let heard = |end: &str| told[end]["packets"].as_u64().unwrap_or(0);
        let relayed = |end: &str| told[end]["local"] == "relay" && told[end]["remote"] == "relay";
        let passed = ["one", "other"].iter().all(|end| heard(end) >= PACKETS && relayed(end))
            && stats.packets_in_memory >= 2 * PACKETS;
        calls.push(json!({ "transport": transport, "passed": passed, "ends": told, "packets": stats.packets_in_memory }));
    }
    let passed = calls.iter().all(|call| call["passed"] == true);
    println!("{}", json!({ "bench": "chromium over the relay", "passed": passed, "calls": calls }));
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Serves the page to a browser and waits for what it posts.
fn call(relay: u16, transport: &str) -> Outcome<Value> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let Credentials { username, password } =
        CredentialIssuer::new(SECRET).issue(driver::now().unix, "chromium", Duration::from_secs(600));
    let page = include_str!("chromium.html")
        .replace("URL", &format!("turn:127.0.0.1:{relay}?transport={transport}"))
        .replace("USERNAME", &username)
        .replace("PASSWORD", &password);
    let profile = std::env::temp_dir().join(format!("silbo-chromium-{}-{transport}", std::process::id()));
    let mut browser = Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ])
        .args(["--autoplay-policy=no-user-gesture-required", "--use-fake-device-for-media-stream"])
        .args(["--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("http://127.0.0.1:{}/", listener.local_addr()?.port()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let started = Instant::now();
    let told = loop {
        match listener.accept() {
            Ok((stream, _)) => {
                if let Some(told) = answer(stream, &page)? {
                    break Ok(told);
                }
            }
            Err(_) if started.elapsed() > PATIENCE => break Err("the browser says nothing".into()),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let _ = browser.kill();
    let _ = browser.wait();
    let _ = std::fs::remove_dir_all(profile);
    told
}

/// One HTTP request: the page, or the result in a POST.
fn answer(mut stream: TcpStream, page: &str) -> Outcome<Option<Value>> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut buffer)?;
        request.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if length == 0 {
                return Ok(None);
            }
            continue;
        };
        let wanted = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned))
            .map_or(Ok(0), |length| length.trim().parse::<usize>())?;
        if body.len() < wanted && length > 0 {
            continue;
        }
        let is_result = head.starts_with("POST /result");
        let reply = if is_result { "" } else { page };
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{reply}",
            reply.len()
        )?;
        return Ok(if is_result { Some(serde_json::from_str(body)?) } else { None });
    }
}
