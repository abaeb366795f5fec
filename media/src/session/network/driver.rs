//! The sockets of one session follow the addresses of this machine.
//!
//! One socket on every address the line wants, one towards every relay it uses. An address that is gone takes its socket
//! with it, a new one gets one; a relay is asked anew when packets to it leave from another address than before.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::session::line::Line;
use crate::session::path::SocketId;
use crate::session::sockets::driver::Sockets;

/// How often addresses are looked at, besides when we are told that they changed.
pub(in crate::session) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What was opened for what.
#[derive(Default)]
pub(in crate::session) struct Network {
    interfaces: BTreeMap<IpAddr, SocketId>,
    /// As many as the line wants.
    relays: Vec<Towards>,
}

/// A socket towards a relay.
struct Towards {
    /// Its UDP address.
    relay: SocketAddr,
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
            let Some(source_now) = Sockets::source_towards(*relay).ok().filter(|ip| Some(*ip) != *source)
            else {
                continue;
            };
            match sockets.open_towards(*relay) {
                Ok(new) => {
                    line.replace_relay(now, new, *relay);
                    sockets.close(std::mem::replace(socket, new));
                    *source = Some(source_now);
                }
                Err(error) => tracing::warn!(%error, "no socket towards a relay"),
            }
        }
        Ok(())
    }

    /// A socket towards a relay the line wants to use.
    pub(in crate::session) fn open_towards(
        &mut self,
        now: Instant,
        line: &mut Line,
        sockets: &mut Sockets,
        relay: SocketAddr,
    ) {
        match sockets.open_towards(relay) {
            Ok(socket) => {
                let source = Sockets::source_towards(relay).ok();
                self.relays.push(Towards { relay, socket, source });
                line.add_relay(now, socket, relay);
            }
            Err(error) => tracing::warn!(%error, "no socket towards a relay"),
        }
    }

    /// The line does not use this relay any more.
    pub(in crate::session) fn release(&mut self, sockets: &mut Sockets, relay: SocketAddr) {
        self.relays.retain(|towards| {
            if towards.relay == relay {
                sockets.close(towards.socket);
            }
            towards.relay != relay
        });
    }
}
