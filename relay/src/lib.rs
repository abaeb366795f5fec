//! STUN and TURN for Silbo: wire codec, clients and the relay server.
//!
//! **What is this?** The part of Silbo that tells computers which address the internet sees them at (STUN, RFC 8489) and
//! forwards packets between those that cannot reach each other (TURN, RFC 8656). Any ICE agent can use it.
//!
//! **The two types that matter** are [`server::Server`] (run on real sockets by [`driver::RelayServer`]) and
//! [`client::TurnClient`]. Both are state machines: datagrams and the time go in, datagrams and events come out.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use relay::client::{Transport, TurnClient, TurnConfig};
//! use relay::driver::RelayServer;
//! use relay::server::ServerConfig;
//! use relay::{CredentialIssuer, driver};
//!
//! let secret = [7; 32]; // shared by who issues credentials and who checks them
//! let server = RelayServer::start(ServerConfig::new("127.0.0.1:0".parse()?, secret, [1; 32])).await?;
//!
//! let now = driver::now();
//! let credentials = CredentialIssuer::new(secret).issue(now.unix, "ada", Duration::from_secs(600));
//! let config = TurnConfig { server: server.local_addr(), credentials, transport: Transport::Udp };
//! let mut client = TurnClient::new(config, [2; 32], now.instant);
//! assert!(client.poll_transmit().is_some(), "an Allocate request, to be sent to the relay");
//! server.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! **How data flows.** A client authenticates with [`Credentials`] it got elsewhere and receives a relayed address. It
//! binds a channel to each peer; what it sends as ChannelData leaves the relayed address as plain UDP, and what that
//! peer sends there comes back as ChannelData. Two clients of one relay never touch its relayed sockets: their packets
//! are handed over in memory.
//!
//! **What it refuses.** To remember anybody who has not authenticated; to answer strangers faster than
//! [`server::Limits`] allow; to send to addresses that are not on the public internet, in whatever spelling, to
//! service ports or to this machine (see [`server::PeerPolicy`]); to send anything but checks to peers that have not
//! answered one (see [`server::PeerProof`]); reserved port pairs and don't-fragment, which are not built; to look into
//! what it forwards.

pub mod client;
mod credentials;
#[cfg(feature = "driver")]
pub mod driver;
#[cfg(test)]
mod fixture;
#[cfg(feature = "fuzz")]
pub mod fuzz;
pub mod nat;
pub mod server;
mod time;
pub mod wire;

pub use credentials::{CredentialIssuer, Credentials, Priority, expiry};
pub use time::{Now, UnixTime};
