//! A TURN client on a loopback socket, for the tests that talk over real sockets.
#![expect(clippy::disallowed_types, reason = "these tests prove the driver, so they own sockets")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use relay::client::{Transport, TurnClient, TurnConfig, TurnEvent};
use relay::{Credentials, driver};
use tokio::net::UdpSocket;

/// Long enough for a loaded machine; reaching it fails the test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Endpoint {
    pub(crate) client: TurnClient,
    pub(crate) socket: UdpSocket,
}

impl Endpoint {
    pub(crate) async fn new(server: SocketAddr, credentials: Credentials, seed: u8) -> Self {
        let config = TurnConfig { server, credentials, transport: Transport::Udp };
        let client = TurnClient::new(config, [seed; 32], driver::now().instant);
        Self { client, socket: socket().await }
    }

    pub(crate) async fn event(&mut self) -> TurnEvent {
        let event = async {
            loop {
                if let Some(event) = self.client.poll_event() {
                    return event;
                }
                self.step().await;
            }
        };
        tokio::time::timeout(PATIENCE, event).await.expect("the relay answers in time")
    }

    pub(crate) async fn payload(&mut self) -> (SocketAddr, Vec<u8>) {
        let payload = async {
            loop {
                if let Some(received) = self.step().await {
                    return received;
                }
            }
        };
        tokio::time::timeout(PATIENCE, payload).await.expect("the payload arrives in time")
    }

    pub(crate) async fn flush(&mut self) {
        while let Some(datagram) = self.client.poll_transmit() {
            self.socket.send_to(&datagram, self.client.server()).await.unwrap();
        }
    }

    async fn step(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.flush().await;
        let mut buffer = [0; 2048];
        let wake = self
            .client
            .poll_timeout()
            .map_or(PATIENCE, |(at, _)| at.saturating_duration_since(driver::now().instant));
        match tokio::time::timeout(wake, self.socket.recv_from(&mut buffer)).await {
            Ok(received) => {
                let (length, _) = received.unwrap();
                let datagram = &buffer[..length];
                let (peer, range) = self.client.handle_datagram(driver::now().instant, datagram)?;
                Some((peer, datagram[range].to_vec()))
            }
            Err(_) => {
                self.client.handle_timeout(driver::now().instant);
                None
            }
        }
    }
}

pub(crate) async fn socket() -> UdpSocket {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}
