//! One connection to a relay: dialled, then read and written until it ends.
//!
//! ```text
//!   Dialling ──▶ Open ──▶ Ended
//!      └───────────────────▲
//! ```
//!
//! At most one message is under way into the connection; what comes after it waits in the session's state machine,
//! which knows what has become useless. A message begun is finished, for the other side counts bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::session::path::streams::StreamEvent;

/// Bytes read at once, and how often before others have their turn.
const CHUNK: usize = 4096;
const BATCH: usize = 8;

type Dialling<S> = Pin<Box<dyn Future<Output = io::Result<S>> + Send>>;

pub(super) enum Connection<S> {
    Dialling(Dialling<S>),
    Open(Open<S>),
    Ended,
}

pub(super) struct Open<S> {
    stream: S,
    /// What is left of the message under way.
    writing: Vec<u8>,
    flushing: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(dialling: impl Future<Output = io::Result<S>> + Send + 'static) -> Self {
        Self::Dialling(Box::pin(dialling))
    }

    /// Does what can be done now: writes what `next` gives, and tells what came.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Vec<u8>>,
        mut tell: impl FnMut(StreamEvent),
    ) {
        if let Self::Dialling(dialling) = self {
            match dialling.as_mut().poll(cx) {
                Poll::Pending => return,
                // Messages wait until the opening was told: the caller comes again.
                Poll::Ready(Ok(stream)) => {
                    *self = Self::Open(Open { stream, writing: Vec::new(), flushing: false });
                    return tell(StreamEvent::Opened);
                }
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "no connection to a relay");
                    *self = Self::Ended;
                    return tell(StreamEvent::Closed);
                }
            }
        }
        let Self::Open(open) = self else { return };
        let written = open.poll_write(cx, &mut next);
        let read = open.poll_read(cx, &mut tell);
        if matches!(written, Poll::Ready(Err(_))) || matches!(read, Poll::Ready(())) {
            *self = Self::Ended;
            tell(StreamEvent::Closed);
        }
    }

    /// Writes what is left and ends; ready when that is done, or nothing can be done.
    pub(super) fn poll_finish(
        &mut self,
        cx: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Vec<u8>>,
    ) -> Poll<()> {
        let Self::Open(open) = self else { return Poll::Ready(()) };
        if ready!(open.poll_write(cx, &mut next)).is_ok() {
            // How it ends is of no interest any more.
            let _ = ready!(Pin::new(&mut open.stream).poll_shutdown(cx));
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Open<S> {
    /// Ready when nothing is left to write.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        next: &mut impl FnMut() -> Option<Vec<u8>>,
    ) -> Poll<io::Result<()>> {
        loop {
            while !self.writing.is_empty() {
                let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.writing))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.writing.drain(..written);
                self.flushing = true;
            }
            if self.flushing {
                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                self.flushing = false;
            }
            match next() {
                Some(message) => self.writing = message,
                None => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Ready when the other side has ended it.
    fn poll_read(&mut self, cx: &mut Context<'_>, tell: &mut impl FnMut(StreamEvent)) -> Poll<()> {
        let mut chunk = [0; CHUNK];
        for _ in 0..BATCH {
            let mut buffer = ReadBuf::new(&mut chunk);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => tell(StreamEvent::Bytes(buffer.filled().to_vec())),
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
        // More may be there; having told something, the caller comes again.
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    type Tested = Connection<DuplexStream>;

    /// Polls once; what it told.
    async fn step(connection: &mut Tested, waiting: &mut VecDeque<Vec<u8>>) -> Vec<StreamEvent> {
        let mut told = Vec::new();
        poll_fn(|cx| {
            connection.poll(cx, || waiting.pop_front(), |event| told.push(event));
            Poll::Ready(())
        })
        .await;
        told
    }

    async fn open(room: usize) -> (Tested, DuplexStream) {
        let (near, far) = tokio::io::duplex(room);
        let mut connection = Connection::new(async { Ok(near) });
        assert_eq!(step(&mut connection, &mut VecDeque::new()).await, [StreamEvent::Opened]);
        (connection, far)
    }

    #[tokio::test]
    async fn a_connection_that_takes_nothing_is_given_one_message_and_finishes_it_later() {
        let (mut connection, mut far) = open(10).await;
        let mut waiting: VecDeque<_> = (1..=5).map(|number| vec![number; 12]).collect();
        step(&mut connection, &mut waiting).await;
        assert_eq!(waiting.len(), 4, "the first is under way, the others may still be dropped");
        waiting.clear();
        let mut read = vec![0; 10];
        far.read_exact(&mut read).await.unwrap();
        waiting.push_back(vec![9; 2]);
        step(&mut connection, &mut waiting).await;
        far.read_exact(&mut read[..4]).await.unwrap();
        assert_eq!(read[..4], [1, 1, 9, 9]);
    }

    #[tokio::test]
    async fn what_comes_is_told_and_the_end_once() {
        let (mut connection, mut far) = open(100).await;
        far.write_all(b"abc").await.unwrap();
        drop(far);
        let told = step(&mut connection, &mut VecDeque::new()).await;
        assert_eq!(told, [StreamEvent::Bytes(b"abc".to_vec()), StreamEvent::Closed]);
        assert_eq!(step(&mut connection, &mut VecDeque::new()).await, []);
    }

    #[tokio::test]
    async fn a_refused_connection_is_closed() {
        let mut connection: Tested = Connection::new(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        assert_eq!(step(&mut connection, &mut VecDeque::new()).await, [StreamEvent::Closed]);
    }

    #[tokio::test]
    async fn the_last_words_are_written_before_it_ends() {
        let (mut connection, mut far) = open(10).await;
        let mut waiting = VecDeque::from([vec![1; 12], vec![2; 3]]);
        let mut heard = Vec::new();
        let finish = poll_fn(|cx| connection.poll_finish(cx, || waiting.pop_front()));
        let (_, read) = tokio::join!(finish, far.read_to_end(&mut heard));
        assert_eq!(read.unwrap(), 15);
    }
}
