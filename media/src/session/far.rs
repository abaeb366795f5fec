//! The far end of a session: somebody across the network, or Echo.

use std::net::SocketAddr;
use std::time::Instant;

use super::call::Measured;
use super::echo::Echo;
use super::line::{Line, LineEvent};
use super::path::streams::{StreamEvent, Wish};
use super::path::{SocketId, Transmit};
use crate::voice::VoicePacket;

/// What a session's task talks to.
pub(super) enum Far {
    Line(Box<Line>),
    Echo(Echo),
}

impl Far {
    /// The line, unless it is Echo.
    pub(super) fn line(&mut self) -> Option<&mut Line> {
        match self {
            Self::Line(line) => Some(line),
            Self::Echo(_) => None,
        }
    }

    /// Whether the packet left.
    pub(super) fn send_voice(&mut self, now: Instant, packet: VoicePacket) -> bool {
        match self {
            Self::Line(line) => line.send_voice(now, packet),
            Self::Echo(echo) => echo.send_voice(now, packet),
        }
    }

    pub(super) fn hang_up(&mut self, now: Instant) {
        match self {
            Self::Line(line) => line.hang_up(now),
            Self::Echo(echo) => echo.hang_up(),
        }
    }

    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        socket: SocketId,
        source: SocketAddr,
        datagram: &[u8],
    ) {
        if let Self::Line(line) = self {
            line.handle_datagram(now, socket, source, datagram);
        }
    }

    pub(super) fn handle_stream(&mut self, now: Instant, socket: SocketId, event: StreamEvent) {
        if let Self::Line(line) = self {
            line.handle_stream(now, socket, event);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Line(line) => line.handle_timeout(now),
            Self::Echo(echo) => echo.handle_timeout(now),
        }
    }

    pub(super) fn poll_timeout(&mut self) -> Option<(Instant, &'static str)> {
        match self {
            Self::Line(line) => line.poll_timeout(),
            Self::Echo(echo) => echo.poll_timeout(),
        }
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.line()?.poll_transmit()
    }

    /// The next message for a connection that takes one.
    pub(super) fn poll_stream(&mut self, now: Instant, socket: SocketId) -> Option<Vec<u8>> {
        self.line()?.poll_stream(now, socket)
    }

    pub(super) fn poll_wish(&mut self) -> Option<Wish> {
        self.line()?.poll_wish()
    }

    pub(super) fn poll_event(&mut self) -> Option<LineEvent> {
        match self {
            Self::Line(line) => line.poll_event(),
            Self::Echo(echo) => echo.poll_event(),
        }
    }

    pub(super) fn measure(&mut self, now: Instant) -> Measured {
        self.line().map(|line| line.measure(now)).unwrap_or_default()
    }
}
