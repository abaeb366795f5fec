//! Clients over TCP and TLS (RFC 8656 §2.1): one task per connection cuts the stream into messages.
//!
//! What cannot be the start of a message ends its connection and nothing else. Connections are few and slower than UDP by
//! nature, so they may allocate.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::batch::LONGEST;
use super::dial::prepare;
use super::hub::{Hub, Waiting};
use super::now;
use crate::server::{Client, Onward, PeerPolicy, SourcePrefix, Stats, StreamId};
use crate::wire::{self, ChannelData, Class, DataHeader, HEADER_LEN, TransactionId, message_length};

/// Messages that wait for a connection's writer; newer ones are lost, as datagrams would be.
const QUEUE: usize = 256;
/// What is relayed to a connection that stalls is dropped after this long, the oldest first: it is late already, and all
/// that follows would be, too. Twice as long as a client drops voice after, for who knows what it is.
const STALE: Duration = Duration::from_millis(400);
/// A connection with an allocation that says nothing whole for this long is closed: longer than any refresh interval.
const SILENCE: Duration = Duration::from_secs(3700);
/// A connection without one is closed after this long, whatever it says: strangers hold no seats.
const STRANGER: Duration = Duration::from_secs(30);
/// The longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// A client that takes nothing for this long is gone.
const STUCK: Duration = Duration::from_secs(30);
/// Pause after the system refused to accept, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What serving streams takes; all clones count their connections together.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) hub: Arc<Hub>,
    pub(super) policy: PeerPolicy,
    pub(super) most: usize,
    pub(super) most_per_prefix: usize,
    pub(super) next: Arc<AtomicU64>,
    pub(super) open: Arc<Mutex<BTreeMap<SourcePrefix, usize>>>,
}

/// Where whoever shares a port with a relay hands over the connections that turn out to be the relay's.
#[derive(Clone)]
pub struct StreamDoor {
    pub(super) streams: Streams,
    /// Closed when the relay is gone.
    pub(super) relay: watch::Receiver<()>,
}

impl std::fmt::Debug for StreamDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamDoor").finish_non_exhaustive()
    }
}

impl StreamDoor {
    /// Serves a TURN client over `stream`, which came from `from`, until either side or the relay ends. Past the limits on
    /// streams it is closed at once.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite, from: SocketAddr) {
        let from = super::batch::unmapped(from);
        let Some(seat) = self.streams.seat(from) else { return };
        let id = self.streams.next_id();
        let mut relay = self.relay.clone();
        // How a connection ended is nobody's business here: its allocation goes either way.
        let _ = tokio::select! {
            talked = talk(&self.streams.hub, id, from, stream) => talked,
            // Nothing is ever sent there.
            _ = relay.changed() => Ok(()),
        };
        self.streams.hub.close_stream(id, from);
        drop(seat);
    }
}

/// A place among the connections, given back when dropped.
struct Seat {
    open: Arc<Mutex<BTreeMap<SourcePrefix, usize>>>,
    prefix: SourcePrefix,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.prefix) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.prefix);
            }
        }
    }
}

impl Streams {
    /// Accepts until dropped; its connections end with it.
    pub(super) async fn serve(self, listener: TcpListener, tls: Option<TlsAcceptor>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, from)) => {
                        let Some(seat) = self.seat(from) else { continue };
                        let id = self.next_id();
                        let hub = Arc::clone(&self.hub);
                        connections.spawn(connection(hub, id, stream, from, tls.clone(), seat));
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                }
            }
        }
    }

    fn next_id(&self) -> StreamId {
        StreamId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn seat(&self, from: SocketAddr) -> Option<Seat> {
        let prefix = SourcePrefix::of(self.policy, from);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_prefix = open.get(&prefix).copied().unwrap_or(0);
        if open.values().sum::<usize>() >= self.most || of_prefix >= self.most_per_prefix {
            return None;
        }
        open.insert(prefix, of_prefix + 1);
        Some(Seat { open: Arc::clone(&self.open), prefix })
    }
}

async fn connection(
    hub: Arc<Hub>,
    id: StreamId,
    stream: TcpStream,
    from: SocketAddr,
    tls: Option<TlsAcceptor>,
    seat: Seat,
) {
    let from = super::batch::unmapped(from);
    // A connection that refuses is slower.
    let _ = prepare(&stream);
    // How a connection ended is nobody's business here: its allocation goes either way.
    let _ = match tls {
        None => talk(&hub, id, from, stream).await,
        Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => talk(&hub, id, from, stream).await,
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        },
    };
    hub.close_stream(id, from);
    drop(seat);
}

async fn talk(
    hub: &Hub,
    id: StreamId,
    from: SocketAddr,
    stream: impl AsyncRead + AsyncWrite,
) -> io::Result<()> {
    let (reader, writer) = tokio::io::split(stream);
    let (queue, messages) = mpsc::channel(QUEUE);
    hub.open_stream(id, queue);
    tokio::select! {
        read = read(hub, id, from, reader) => read,
        written = write(messages, writer) => written,
    }
}

async fn write(mut messages: mpsc::Receiver<Waiting>, writer: impl AsyncWrite) -> io::Result<()> {
    let mut writer = std::pin::pin!(writer);
    while let Some(Waiting { since, mut message }) = messages.recv().await {
        if since + STALE <= Instant::now() && is_relayed(&message) {
            continue;
        }
        message.resize(message.len().next_multiple_of(4), 0);
        let written = async {
            writer.write_all(&message).await?;
            writer.flush().await
        };
        tokio::time::timeout(STUCK, written).await.map_err(|_| io::ErrorKind::TimedOut)??;
    }
    Ok(())
}

/// Whether it carries a payload; answers to requests never come late.
fn is_relayed(message: &[u8]) -> bool {
    ChannelData::matches(message) || wire::parse(message).is_ok_and(|read| read.class() == Class::Indication)
}

async fn read(hub: &Hub, id: StreamId, from: SocketAddr, reader: impl AsyncRead) -> io::Result<()> {
    let mut reader = std::pin::pin!(reader);
    let mut buffer = vec![0; LONGEST];
    let (mut filled, mut patience) = (0, Patience::with_stranger());
    loop {
        let count = tokio::time::timeout_at(patience.until, reader.read(&mut buffer[filled..]))
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        if count == 0 {
            return Ok(());
        }
        filled += count;
        let mut start = 0;
        while let Some(length) = next_length(&buffer[start..filled])? {
            let Some(message) = buffer.get(start..start + length).filter(|_| start + length <= filled) else {
                break;
            };
            handle(hub, id, from, message);
            start += length;
        }
        if start > 0 {
            patience.heard(hub.has_allocation(Client::stream(from, id)));
        }
        buffer.copy_within(start..filled, 0);
        filled -= start;
    }
}

fn next_length(bytes: &[u8]) -> io::Result<Option<usize>> {
    message_length(bytes, LONGEST).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// How long a connection is listened to. Only whole messages of who has an allocation prolong it: a byte now and then,
/// or requests that lead to nothing, hold no seat.
struct Patience {
    until: Instant,
    has_allocation: bool,
}

impl Patience {
    fn with_stranger() -> Self {
        Self { until: Instant::now() + STRANGER, has_allocation: false }
    }

    fn heard(&mut self, has_allocation: bool) {
        match (self.has_allocation, has_allocation) {
            (_, true) => self.until = Instant::now() + SILENCE,
            (true, false) => self.until = Instant::now() + STRANGER,
            (false, false) => {}
        }
        self.has_allocation = has_allocation;
    }
}

fn handle(hub: &Hub, id: StreamId, from: SocketAddr, message: &[u8]) {
    let at = now();
    let thread = hub.thread_of(id);
    let mut tally = Stats::default();
    let onward = {
        let state = hub.read();
        let onward =
            state.server.forward_from_client(at.instant, Client::stream(from, id), message, &mut tally);
        match &onward {
            Onward::Dropped | Onward::Control => {}
            Onward::ToPeer(port, peer, payload) => {
                state.send_to_peer(*port, *peer, &message[payload.clone()]);
            }
            Onward::ToClient(client, header, payload) => {
                // What is relayed came in a message of its own, so its transaction id is as random as the sender chose.
                if let Some(bytes) = wrapped(*header, &message[payload.clone()], message) {
                    hub.send_to_client(&state, thread, *client, &bytes);
                }
            }
        }
        onward
    };
    hub.count(thread, &tally);
    if onward == Onward::Control {
        hub.control(thread, |server| server.handle_stream(at, id, from, message));
    }
}

fn wrapped(header: DataHeader, payload: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let mut transaction = [0; 12];
    if let Some(of_sender) = message.get(8..HEADER_LEN) {
        transaction.copy_from_slice(of_sender);
    }
    let (head, length) = (DataHeader::MAX_LEN, payload.len());
    let mut buffer = vec![0; head + length + DataHeader::MAX_PADDING];
    buffer[head..head + length].copy_from_slice(payload);
    let whole = header.wrap(&mut buffer, head..head + length, TransactionId(transaction))?;
    buffer.truncate(whole.end);
    buffer.drain(..whole.start);
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stranger_who_trickles_or_chatters_is_closed_in_time_and_a_client_is_not() {
        let hub = hub();
        let (from, started) = ("127.0.0.1:5000".parse().unwrap(), Instant::now());
        let (mut stranger, end) = tokio::io::duplex(1 << 16);
        let trickle = async {
            // Bytes of one message, then whole ones that lead to nothing.
            let binding = [&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], &[7; 12]].concat();
            for byte in binding.iter().cycle() {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if stranger.write_all(&[*byte]).await.is_err() {
                    break;
                }
            }
        };
        let closed = async { talk(&hub, StreamId(1), from, end).await.unwrap_err().kind() };
        let (kind, ()) = tokio::join!(closed, trickle);
        assert_eq!(kind, io::ErrorKind::TimedOut);
        assert!(started.elapsed() <= STRANGER + Duration::from_secs(1), "{:?}", started.elapsed());
        let mut patience = Patience::with_stranger();
        patience.heard(true);
        assert_eq!(patience.until, Instant::now() + SILENCE);
        patience.heard(false);
        assert_eq!(patience.until, Instant::now() + STRANGER, "its allocation is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_stalls_gets_answers_late_and_payloads_not_at_all() {
        let (queue, messages) = mpsc::channel(QUEUE);
        let (mut client, end) = tokio::io::duplex(16);
        let payload = |number: u8| [&[0x40, 0, 0, 12][..], &[number; 12]].concat();
        let answer = [&[1, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], &[7; 12]].concat();
        let sent = [payload(1), payload(2), answer.clone(), payload(3)];
        let send = async {
            for message in sent {
                queue.send(Waiting { since: Instant::now(), message }).await.unwrap();
            }
            tokio::time::sleep(STALE).await;
            queue.send(Waiting { since: Instant::now(), message: payload(4) }).await.unwrap();
            let mut read = vec![0; 16];
            client.read_exact(&mut read).await.unwrap();
            assert_eq!(read, payload(1), "what the connection took");
            drop(queue);
            read.clear();
            client.read_to_end(&mut read).await.unwrap();
            // The second was under way, the third is stale.
            assert_eq!(read, [payload(2), answer, payload(4)].concat());
        };
        let (written, ()) = tokio::join!(write(messages, end), send);
        written.unwrap();
    }

    fn hub() -> Hub {
        let listen = "127.0.0.1:3478".parse().unwrap();
        let config = crate::server::ServerConfig::new(listen, [7; 32], [9; 32]);
        let server = crate::server::Server::new(config, listen, now());
        Hub::new(server, Vec::new(), Vec::new(), wire::AddressFamily::Ipv4)
    }
}
