//! One link as a stream of frames, whatever carries it. What the frames say is told in [`crate::wire`].
//!
//! ```text
//!            node's task                    task of the link
//!   outbox ──frames──▶ (512) ──▶ write_frames ──▶ Outgoing: QUIC stream │ TLS over TCP
//!   LinkEvent ◀──────── (1,024) ◀── read_frames ◀── AsyncRead
//! ```

use std::{future::Future, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
    time::timeout,
};

use super::quic::Pulse;
use crate::{node::LinkId, outcome::Ends, wire::MAX_FRAME};

/// What happened on a link.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// The handshake is done. Frames go into `outbox`; dropping it flushes and closes the link.
    Up { link: LinkId, opened: Opened, outbox: mpsc::Sender<Vec<u8>> },
    /// A frame came.
    Message { link: LinkId, bytes: Vec<u8> },
    /// It could not be opened, or is gone.
    Down { link: LinkId },
}

/// A link that was made.
#[derive(Debug)]
pub(super) struct Opened {
    /// Between whom.
    pub(super) ends: Ends,
    /// What the making of it told about UDP.
    pub(super) udp: Udp,
    /// How its carrier does, where that says so.
    pub(super) pulse: Option<Pulse>,
}

/// What the making of a link told about UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Udp {
    /// Somebody answered.
    Answered,
    /// Nobody answered, although the same supernode answers over TCP.
    Silent,
    /// It was not tried.
    Untried,
}

/// Who keeps a silent link alive, and notices a dead one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Liveness {
    /// The transport below.
    Transport,
    /// We: an empty frame goes out after [`KEEP_ALIVE`] of silence, a link that brings nothing for [`IDLE_TIMEOUT`] is
    /// dead. TCP's own keep-alive ends at whatever stands between.
    EmptyFrames,
}

/// Silence after which a link is kept alive: below the half minute after which routers forget a UDP mapping, and often
/// enough that a supernode that was restarted is noticed within ten seconds, by the reset it answers.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Over TCP a peer that was silent for this time is given up.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(25);

/// Over QUIC one that did not answer a keep-alive, which is sent again and again, for this time: a leaf all of whose
/// homes died has new ones within half a minute.
pub(super) const UNANSWERED: Duration = Duration::from_secs(15);

/// How long opening a link may take, all attempts together.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the last frames may take to arrive.
pub(super) const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// Frames waiting to be written to one link; a link that lets more pile up is closed.
const OUTBOX: usize = 512;

/// Where frames are written.
pub(super) trait Outgoing: AsyncWrite + Unpin + Send {
    /// Ends the stream and gives the other side time to take what was written. It is polled beside the reading, whose
    /// end ends it too.
    fn finish(self) -> impl Future<Output = ()> + Send;
}

/// Serves a link to its end, and says so when it is reached.
pub(super) async fn serve(
    link: LinkId,
    opened: Opened,
    (receive, send): (impl AsyncRead + Unpin, impl Outgoing),
    liveness: Liveness,
    events: mpsc::Sender<LinkEvent>,
) {
    let (outbox, frames) = mpsc::channel(OUTBOX);
    if events.send(LinkEvent::Up { link, opened, outbox }).await.is_ok() {
        tokio::select! {
            () = write_frames(send, frames, liveness) => {}
            () = read_frames(receive, link, liveness, &events) => {}
        }
    }
    // The node's task is gone when this fails.
    let _ = events.send(LinkEvent::Down { link }).await;
}

async fn write_frames(mut send: impl Outgoing, mut frames: mpsc::Receiver<Vec<u8>>, liveness: Liveness) {
    loop {
        let frame = match liveness {
            Liveness::Transport => frames.recv().await,
            // Nothing to say for so long: an empty frame.
            Liveness::EmptyFrames => timeout(KEEP_ALIVE, frames.recv()).await.unwrap_or(Some(Vec::new())),
        };
        let Some(frame) = frame else { break };
        let Ok(length) = u32::try_from(frame.len()) else { return };
        let bytes = [length.to_be_bytes().as_slice(), &frame].concat();
        if send.write_all(&bytes).await.is_err() || send.flush().await.is_err() {
            return;
        }
    }
    // The last frame says why the link ends: give it time to arrive.
    send.finish().await;
}

/// Reads until the stream ends or carries a frame no honest peer writes.
async fn read_frames(
    mut receive: impl AsyncRead + Unpin,
    link: LinkId,
    liveness: Liveness,
    events: &mpsc::Sender<LinkEvent>,
) {
    loop {
        let frame = match liveness {
            Liveness::Transport => read_frame(&mut receive).await,
            Liveness::EmptyFrames => {
                timeout(IDLE_TIMEOUT, read_frame(&mut receive)).await.unwrap_or(Frame::NoMore)
            }
        };
        match frame {
            // A full queue makes this link wait, and its flow control the other side.
            Frame::Message(bytes) => {
                if events.send(LinkEvent::Message { link, bytes }).await.is_err() {
                    return;
                }
            }
            Frame::Empty if liveness == Liveness::EmptyFrames => {}
            Frame::Empty | Frame::NoMore => return,
        }
    }
}

enum Frame {
    Message(Vec<u8>),
    Empty,
    /// The end of the stream, or of our patience with it.
    NoMore,
}

async fn read_frame(receive: &mut (impl AsyncRead + Unpin)) -> Frame {
    let Ok(length) = receive.read_u32().await else { return Frame::NoMore };
    match usize::try_from(length) {
        Ok(0) => Frame::Empty,
        Ok(length) if length <= MAX_FRAME => {
            let mut bytes = vec![0; length];
            match receive.read_exact(&mut bytes).await {
                Ok(_) => Frame::Message(bytes),
                Err(_) => Frame::NoMore,
            }
        }
        Ok(_) | Err(_) => Frame::NoMore,
    }
}

#[cfg(test)]
mod tests;
