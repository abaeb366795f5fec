//! The sockets of one session follow the addresses of this machine.
//!
//! One socket on every address the line wants, one towards every relay it uses. An address that is gone takes its socket
//! with it, a new one gets one; a relay is asked anew when packets to it leave from another address than before.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::session::RelayServer;
use crate::session::line::Line;
use crate::session::path::SocketId;
use crate::session::sockets::driver::Sockets;

/// How often addresses are looked at, besides when we are told that they changed.
pub(in crate::session) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Relays kept in mind; further ones are only asked for our address.
const MAX_RELAYS: usize = 8;

/// What was opened for what.
#[derive(Default)]
pub(in crate::session) struct Network {
    interfaces: BTreeMap<IpAddr, SocketId>,
    relays: Vec<Towards>,
}

/// A socket towards a relay.
struct Towards {
    relay: RelayServer,
    socket: SocketId,
    /// The address of ours packets leave from.
    source: Option<IpAddr>,
}

impl Network {
    /// Opens and closes sockets until they fit the addresses there are.
    pub(in crate::session) fn look(
        &mut self,
        now: Instant,
        line: &mut Line,
        sockets: &mut Sockets,
    ) -> io::Result<()> {
        let there = Sockets::interfaces()?;
        self.interfaces.retain(|ip, socket| {
            let stays = there.contains(ip);
            if !stays {
                line.remove_interface(now, *socket);
                sockets.close(*socket);
            }
            stays
        });
        for ip in there {
            if self.interfaces.contains_key(&ip) || !line.wants_interface(ip) {
                continue;
            }
            // An address may vanish between listing and binding, or refuse sockets: the others will do.
            match sockets.open(ip) {
                Ok((socket, local)) => {
                    self.interfaces.insert(ip, socket);
                    line.add_interface(now, socket, local);
                }
                Err(error) => tracing::debug!(%error, "an interface gives no socket"),
            }
        }
        for Towards { relay, socket, source } in &mut self.relays {
            let Some(source_now) = Sockets::source_towards(relay.udp).ok().filter(|ip| Some(*ip) != *source)
            else {
                continue;
            };
            match sockets.open_towards(relay.udp) {
                Ok(new) => {
                    line.replace_relay(now, new, relay);
                    sockets.close(std::mem::replace(socket, new));
                    *source = Some(source_now);
                }
                Err(error) => tracing::warn!(%error, "no socket towards a relay"),
            }
        }
        Ok(())
    }

    /// Asks servers for our address, and allocates on those that let us.
    pub(in crate::session) fn add_relays(
        &mut self,
        now: Instant,
        line: &mut Line,
        sockets: &mut Sockets,
        relays: &[RelayServer],
    ) {
        for relay in relays {
            line.add_stun_server(now, relay.udp);
            if !line.wants_relay(relay) {
                continue;
            }
            match sockets.open_towards(relay.udp) {
                Ok(socket) => {
                    line.add_relay(now, socket, relay);
                    self.relays.retain(|towards| towards.relay.udp != relay.udp);
                    let source = Sockets::source_towards(relay.udp).ok();
                    if self.relays.len() < MAX_RELAYS {
                        self.relays.push(Towards { relay: relay.clone(), socket, source });
                    }
                }
                Err(error) => tracing::warn!(%error, "no socket towards a relay"),
            }
        }
    }
}
