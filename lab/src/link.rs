//! A link of the lab with a delay, loss and a rate, which this kernel cannot emulate: a process carries every frame.
//!
//! ```text
//!   veth ──▶ reader ──▶ lost? ── queue full? ──▶ waits for its turn at the rate, then its delay ──▶ writer ──▶ veth
//!   veth ◀── writer ◀──────────────────────────────── the same ◀────────────────────────────────── reader ◀── veth
//! ```
//!
//! Loss is of each frame by itself, or comes in bursts: a link that is good or bad, and loses everything while it is bad
//! (Gilbert's model). Frames keep their order, but for those that are held up on the way. What happens to them is decided
//! by a seed.

mod packet;

use anyhow::{Context as _, Result, bail};
pub(crate) use packet::Frames;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The first argument under which the program serves [`serve`].
pub const WORD: &str = "link";

/// What a link does to a frame, in either direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// How long it travels.
    pub delay: Duration,
    /// By how much longer at most.
    pub jitter: Duration,
    /// Chance to be lost.
    pub loss: f64,
    /// Frames lost one after the other, on average; none: each by itself.
    pub burst: Option<f64>,
    /// Bits per second; none is any number.
    pub rate: Option<f64>,
    /// How long a frame may wait for its turn at the rate; who would wait longer is lost.
    pub queue: Option<Duration>,
    /// Chance to be held up, and for how long: others overtake.
    pub reorder: f64,
    /// See [`Link::reorder`].
    pub held_up: Duration,
    /// Of chance.
    pub seed: u64,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: 0.0,
            burst: None,
            rate: None,
            queue: None,
            reorder: 0.0,
            held_up: Duration::from_millis(20),
            seed: 1,
        }
    }
}

/// `delay_ms=25,loss=0.1`: whatever is left out does nothing.
impl FromStr for Link {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut link = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').with_context(|| format!("{part:?} is no name=value"))?;
            let number: f64 = value.parse().with_context(|| format!("{value:?} is no number"))?;
            anyhow::ensure!(number.is_finite() && number >= 0.0, "{part}: not negative, please");
            let time = || Duration::try_from_secs_f64(number / 1000.0);
            match name {
                "delay_ms" => link.delay = time()?,
                "jitter_ms" => link.jitter = time()?,
                "loss" => link.loss = number.min(1.0),
                "burst" => link.burst = Some(number.max(1.0)),
                "kbit" => link.rate = Some(number * 1000.0).filter(|rate| *rate > 0.0),
                "queue_ms" => link.queue = Some(time()?),
                "reorder" => link.reorder = number.min(1.0),
                "reorder_ms" => link.held_up = time()?,
                "seed" => link.seed = value.parse()?,
                other => bail!("a link has no {other}"),
            }
        }
        Ok(link)
    }
}

/// Carries frames between two interfaces of this namespace until it is killed: `one other LINK [JOURNAL]`. Each line it
/// reads is a link that takes the place of the one before, for what comes from then on. What became of each frame from
/// `one` to `other` is a line of the journal; [`read_journal`] reads it.
pub fn serve(arguments: &[String]) -> Result<()> {
    let (one, other, link, journal) = match arguments {
        [one, other, link] => (one, other, link, None),
        [one, other, link, journal] => (one, other, link, Some(File::create(journal)?)),
        _ => bail!("a link wants two interfaces and what it does"),
    };
    let link: Link = link.parse()?;
    let (there, changes_there) = channel();
    let (back, changes_back) = channel();
    let directions = [
        carry(one, other, Lane::new(link, 0, changes_there), journal)?,
        carry(other, one, Lane::new(link, 1, changes_back), None)?,
    ];
    for line in std::io::stdin().lines() {
        let link: Link = line?.parse()?;
        there.send(link)?;
        back.send(link)?;
    }
    for thread in directions.into_iter().flatten() {
        if thread.join().is_err() {
            bail!("a direction of the link panicked");
        }
    }
    Ok(())
}

/// Frames under way in one direction: half a second of the fastest traffic of a lab. What comes when it is full is lost.
const QUEUE: usize = 1000;
/// The largest frame of a lab without offloads, and then some.
const LARGEST: usize = 4096;

fn carry(
    from: &str,
    to: &str,
    lane: Lane,
    journal: Option<File>,
) -> Result<[std::thread::JoinHandle<()>; 2]> {
    let (source, sink) = (Frames::open(from)?, Frames::open(to)?);
    let (queue, waiting) = sync_channel(QUEUE);
    Ok([
        std::thread::Builder::new()
            .name("reader".into())
            .spawn(move || read(&source, lane, &queue, journal))?,
        std::thread::Builder::new().name("writer".into()).spawn(move || write(&sink, &waiting))?,
    ])
}

fn read(source: &Frames, mut lane: Lane, queue: &SyncSender<(Instant, Vec<u8>)>, mut journal: Option<File>) {
    let mut buffer = [0; LARGEST];
    while let Ok(length) = source.receive(&mut buffer) {
        let (passage, due) = lane.fate(Instant::now(), length);
        if let Some(journal) = &mut journal {
            let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            if writeln!(journal, "{}", Carried { at, length, passage }).is_err() {
                return;
            }
        }
        let Some(due) = due else { continue };
        match queue.try_send((due, buffer[..length].to_vec())) {
            Ok(()) | Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => return,
        }
    }
}

fn write(sink: &Frames, waiting: &Receiver<(Instant, Vec<u8>)>) {
    // By when they are due, and those due at one time in the order they came in.
    let mut on_the_way: BTreeMap<(Instant, u64), Vec<u8>> = BTreeMap::new();
    let mut came = 0;
    loop {
        let next = on_the_way.first_key_value().map(|((due, _), _)| *due);
        let arrived = match next {
            None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => waiting.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match arrived {
            Ok((due, frame)) if on_the_way.len() < QUEUE => {
                on_the_way.insert((due, came), frame);
                came += 1;
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        while let Some(first) = on_the_way.first_entry().filter(|first| first.key().0 <= now) {
            // An interface that is down takes nothing, as a cable that is out.
            let _ = sink.send(&first.remove());
        }
    }
}

/// What a journal tells of one frame; as a line: `UNIX_US LENGTH lost|full|WAITED_US`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// When it came, since 1970.
    pub at: Duration,
    /// Its bytes, Ethernet's included.
    pub length: usize,
    /// How it fared.
    pub passage: Passage,
}

/// How a frame fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It arrived, after so long a wait for its turn.
    After(Duration),
    /// The queue had no room for it.
    Overflowed,
    /// It was lost by chance.
    Lost,
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.at.as_micros(), self.length)?;
        match self.passage {
            Passage::Lost => f.write_str("lost"),
            Passage::Overflowed => f.write_str("full"),
            Passage::After(waited) => write!(f, "{}", waited.as_micros()),
        }
    }
}

impl FromStr for Carried {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> Result<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [at, length, passage] = words[..] else { bail!("{line:?} is of no journal") };
        let number = |word: &str| word.parse().with_context(|| format!("{line:?}: {word:?} is no number"));
        Ok(Self {
            at: Duration::from_micros(number(at)?),
            length: number(length)?.try_into()?,
            passage: match passage {
                "lost" => Passage::Lost,
                "full" => Passage::Overflowed,
                waited => Passage::After(Duration::from_micros(number(waited)?)),
            },
        })
    }
}

/// Reads a journal; a last line that is not complete is none.
pub fn read_journal(path: &Path) -> Result<Vec<Carried>> {
    let text = std::fs::read_to_string(path)?;
    text.rsplit_once('\n').map_or("", |(whole, _)| whole).lines().map(str::parse).collect()
}

/// One direction.
struct Lane {
    link: Link,
    changes: Receiver<Link>,
    random: StdRng,
    weather: Weather,
    /// When the last bit of the frame before has left.
    free: Option<Instant>,
    last: Option<Instant>,
}

/// Whether a link that loses frames in bursts does so now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Good,
    Bad,
}

impl Lane {
    fn new(link: Link, salt: u64, changes: Receiver<Link>) -> Self {
        let random = StdRng::seed_from_u64(link.seed << 1 | salt);
        Self { link, changes, random, weather: Weather::Good, free: None, last: None }
    }

    /// Whether the next frame is lost.
    fn loses(&mut self) -> bool {
        let Link { loss, burst, .. } = self.link;
        let Some(burst) = burst.filter(|_| loss < 1.0) else { return self.random.random_bool(loss) };
        let ends = 1.0 / burst;
        // As often bad as the loss says: begins / (begins + ends).
        let begins = (ends * loss / (1.0 - loss)).min(1.0);
        let turns = match self.weather {
            Weather::Good => begins,
            Weather::Bad => ends,
        };
        if self.random.random_bool(turns) {
            self.weather = match self.weather {
                Weather::Good => Weather::Bad,
                Weather::Bad => Weather::Good,
            };
        }
        self.weather == Weather::Bad
    }

    /// What becomes of a frame of this length, and when it arrives if it does. What waits already when the link changes
    /// leaves at the rate it was promised.
    fn fate(&mut self, now: Instant, length: usize) -> (Passage, Option<Instant>) {
        if let Some(link) = self.changes.try_iter().last() {
            self.link = link;
        }
        if self.loses() {
            return (Passage::Lost, None);
        }
        let (mut leaves, mut waited) = (now, Duration::ZERO);
        if let Some(rate) = self.link.rate {
            leaves = self.free.map_or(now, |free| free.max(now));
            if self.link.queue.is_some_and(|queue| leaves > now + queue) {
                return (Passage::Overflowed, None);
            }
            waited = leaves - now;
            leaves += Duration::from_secs_f64(length as f64 * 8.0 / rate);
            self.free = Some(leaves);
        }
        let jitter = self.link.jitter.mul_f64(self.random.random());
        let due = leaves + self.link.delay + jitter;
        let due = self.last.map_or(due, |last| last.max(due));
        self.last = Some(due);
        let held_up = self.random.random_bool(self.link.reorder);
        (Passage::After(waited), Some(if held_up { due + self.link.held_up } else { due }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn arrivals(link: &str, frames: usize, every: Duration) -> Vec<Option<Duration>> {
        let (_stays, changes) = channel();
        let mut lane = Lane::new(link.parse().unwrap(), 0, changes);
        let start = Instant::now();
        (0..frames as u32)
            .map(|nth| lane.fate(start + every * nth, 1250).1.map(|due| due.saturating_duration_since(start)))
            .collect()
    }

    #[test]
    fn a_frame_takes_its_delay() {
        assert_eq!(arrivals("delay_ms=25", 2, 10 * MS), [Some(25 * MS), Some(35 * MS)]);
        assert_eq!(arrivals("", 1, MS), [Some(Duration::ZERO)]);
    }

    #[test]
    fn frames_queue_at_the_rate() {
        assert_eq!(arrivals("kbit=1000", 3, Duration::ZERO), [Some(10 * MS), Some(20 * MS), Some(30 * MS)]);
    }

    #[test]
    fn jitter_delays_and_keeps_the_order() {
        let due: Vec<_> = arrivals("delay_ms=10,jitter_ms=50", 200, MS).into_iter().flatten().collect();
        assert!(due.is_sorted());
        assert!(due.iter().zip(0..).all(|(due, nth)| *due >= 10 * MS + MS * nth));
    }

    #[test]
    fn one_in_ten_is_lost_and_the_same_seed_loses_the_same() {
        let lost = |seed: u32| -> Vec<bool> {
            let link = format!("loss=0.1,seed={seed}");
            arrivals(&link, 2000, MS).iter().map(Option::is_none).collect()
        };
        let count = lost(1).iter().filter(|lost| **lost).count();
        assert!((150..250).contains(&count), "{count}");
        assert_eq!(lost(1), lost(1));
        assert_ne!(lost(1), lost(2));
    }

    #[test]
    fn losses_come_in_bursts_of_the_length_and_as_often_as_is_asked_for() {
        let lost =
            |link: &str| -> Vec<bool> { arrivals(link, 50_000, MS).iter().map(Option::is_none).collect() };
        let link = "loss=0.06,burst=4";
        let all = lost(link);
        let count = all.iter().filter(|lost| **lost).count() as f64;
        let bursts = all.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
        let (share, length) = (count / all.len() as f64, count / bursts);
        assert!((0.05..0.07).contains(&share) && (3.5..4.5).contains(&length), "{share}, {length}");
        assert_eq!(all, lost(link));
        assert!(lost("loss=1,burst=4").iter().all(|lost| *lost));
    }

    #[test]
    fn one_in_ten_is_held_up_and_overtaken() {
        let due = arrivals("delay_ms=10,reorder=0.1,reorder_ms=30", 2000, MS);
        let late = due.iter().zip(0..).filter(|(due, nth)| **due == Some(40 * MS + MS * *nth)).count();
        let others = due.iter().zip(0..).filter(|(due, nth)| **due == Some(10 * MS + MS * *nth)).count();
        assert!((150..250).contains(&late) && late + others == 2000, "{late}, {others}");
    }

    #[test]
    fn who_would_wait_longer_than_the_queue_is_lost() {
        let due = arrivals("kbit=1000,queue_ms=25", 5, Duration::ZERO);
        assert_eq!(due, [Some(10 * MS), Some(20 * MS), Some(30 * MS), None, None]);
        let due = arrivals("kbit=1000,queue_ms=25", 100, 10 * MS);
        assert!(due.iter().all(Option::is_some), "as fast as it drains");
    }

    #[test]
    fn a_link_that_changes_is_another_one_for_what_comes_then() {
        let (change, changes) = channel();
        let mut lane = Lane::new("kbit=1000".parse().unwrap(), 0, changes);
        let start = Instant::now();
        assert_eq!(lane.fate(start, 1250), (Passage::After(Duration::ZERO), Some(start + 10 * MS)));
        change.send("kbit=500".parse().unwrap()).unwrap();
        assert_eq!(lane.fate(start, 1250), (Passage::After(10 * MS), Some(start + 30 * MS)));
    }

    #[test]
    fn a_line_of_a_journal_says_what_it_was_written_for() {
        for passage in [Passage::After(17 * MS), Passage::Overflowed, Passage::Lost] {
            let carried = Carried { at: Duration::from_micros(1_700_000_000_123_456), length: 1514, passage };
            assert_eq!(carried.to_string().parse::<Carried>().unwrap(), carried);
        }
    }

    #[test]
    fn what_is_no_line_of_a_journal_is_refused() {
        for line in ["", "1 2", "1 2 lost 3", "x 2 lost", "1 x lost", "1 2 found", "-1 2 lost", "1  2 lost"] {
            assert!(line.parse::<Carried>().is_err(), "{line:?}");
        }
    }

    #[test]
    fn what_is_no_link_is_refused() {
        for text in ["delay_ms", "delay_ms=x", "delay_ms=-1", "delay_ms=1e300", "colour=3"] {
            assert!(text.parse::<Link>().is_err(), "{text}");
        }
    }
}
