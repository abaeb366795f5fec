//! Frames over an in-memory stream, under tokio's paused clock.

use tokio::{
    io::{DuplexStream, WriteHalf, duplex, split},
    task::JoinHandle,
    time::{Instant as Clock, sleep},
};

use super::*;
use crate::{identity::LinkSecret, outcome::Carrier};

const LINK: LinkId = LinkId::Inbound(1);

impl Outgoing for WriteHalf<DuplexStream> {
    async fn finish(mut self) {
        let _ = self.shutdown().await;
    }
}

/// A served link, its far end, and what it reports.
struct Served {
    far: DuplexStream,
    events: mpsc::Receiver<LinkEvent>,
    outbox: mpsc::Sender<Vec<u8>>,
    task: JoinHandle<()>,
}

async fn served(liveness: Liveness) -> Served {
    let (near, far) = duplex(64 * 1024);
    let (receive, send) = split(near);
    let (report, mut events) = mpsc::channel(16);
    let remote = ([127, 0, 0, 1], 1).into();
    let ends = Ends { peer: LinkSecret::from_secret([1; 32]).public_key(), remote, carrier: Carrier::Tcp };
    let opened = Opened { ends, udp: Udp::Untried, pulse: None };
    let task = tokio::spawn(serve(LINK, opened, (receive, send), liveness, report));
    let Some(LinkEvent::Up { link: LINK, outbox, .. }) = events.recv().await else { panic!("not up") };
    Served { far, events, outbox, task }
}

impl Served {
    async fn message(&mut self) -> Option<Vec<u8>> {
        match self.events.recv().await {
            Some(LinkEvent::Message { link: LINK, bytes }) => Some(bytes),
            Some(LinkEvent::Down { link: LINK }) => None,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn frames_arrive_whole_however_they_are_cut() {
    let mut link = served(Liveness::EmptyFrames).await;
    for byte in [0, 0, 0, 2, 7, 8, 0, 0, 0, 1, 9] {
        link.far.write_all(&[byte]).await.unwrap();
    }
    assert_eq!(link.message().await, Some(vec![7, 8]));
    assert_eq!(link.message().await, Some(vec![9]));
    link.outbox.send(vec![1, 2, 3]).await.unwrap();
    drop(link.outbox);
    let mut written = Vec::new();
    link.far.read_to_end(&mut written).await.unwrap();
    assert_eq!(written, [0, 0, 0, 3, 1, 2, 3]);
    link.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_too_long_or_cut_off_ends_the_link() {
    for bytes in [&[0, 0, 0x80, 1][..], &[0xFF; 4], &[0, 0, 0, 9, 1]] {
        let mut link = served(Liveness::EmptyFrames).await;
        link.far.write_all(bytes).await.unwrap();
        let _ = link.far.shutdown().await;
        assert_eq!(link.message().await, None, "{bytes:?}");
    }
    // The longest one is fine.
    let mut link = served(Liveness::EmptyFrames).await;
    link.far.write_all(&[0, 0, 0x80, 0]).await.unwrap();
    link.far.write_all(&[5; MAX_FRAME]).await.unwrap();
    assert_eq!(link.message().await.map(|bytes| bytes.len()), Some(MAX_FRAME));
}

#[tokio::test(start_paused = true)]
async fn an_empty_frame_is_a_sign_of_life_where_we_keep_the_link_alive_and_malformed_elsewhere() {
    let mut link = served(Liveness::EmptyFrames).await;
    link.far.write_all(&[0, 0, 0, 0, 0, 0, 0, 1, 4]).await.unwrap();
    assert_eq!(link.message().await, Some(vec![4]));
    let mut link = served(Liveness::Transport).await;
    link.far.write_all(&[0, 0, 0, 0, 0, 0, 0, 1, 4]).await.unwrap();
    assert_eq!(link.message().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_silent_link_is_kept_alive_and_one_that_brings_nothing_dies() {
    let mut link = served(Liveness::EmptyFrames).await;
    let began = Clock::now();
    let mut frame = [1; 4];
    link.far.read_exact(&mut frame).await.unwrap();
    assert_eq!((frame, began.elapsed()), ([0; 4], KEEP_ALIVE));
    // We never say a word.
    assert_eq!(link.message().await, None);
    assert_eq!(began.elapsed(), IDLE_TIMEOUT);

    // Signs of life keep it for as long as they come; a frame that never becomes whole is none.
    let mut link = served(Liveness::EmptyFrames).await;
    for _ in 0..10 {
        sleep(IDLE_TIMEOUT - Duration::from_secs(1)).await;
        link.far.write_all(&[0; 4]).await.unwrap();
    }
    assert!(!link.task.is_finished());
    link.far.write_all(&[0, 0, 0, 2]).await.unwrap();
    sleep(IDLE_TIMEOUT - Duration::from_secs(1)).await;
    link.far.write_all(&[1]).await.unwrap();
    assert_eq!(link.message().await, None);
}
