//! Flows and a transfer on one way, event by event in virtual time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::bulk::{self, Transfer};
use super::figures::ms;
use super::flow::{Flow, Packet, Report};
use super::pipe::{Entry, Pipe};
use super::{Trace, Video};

pub(super) struct World {
    origin: Instant,
    now: Instant,
    trace: Trace,
    pipe: Pipe<Cargo>,
    pub(super) flows: Vec<Flow>,
    transfer: Option<(Instant, Transfer)>,
    events: BinaryHeap<Event>,
    made: u64,
}

enum Cargo {
    Call(usize, Packet),
    Bulk(u64),
}

struct Event {
    at: Instant,
    nth: u64,
    what: What,
}

enum What {
    Arrives { cargo: Cargo, size: usize, waited: Duration },
    Reported { flow: usize, report: Report },
    Acknowledged { number: u64 },
}

impl World {
    pub(super) fn new(trace: Trace, video: Video, seed: u64) -> Self {
        // Only differences matter.
        let origin = Instant::now();
        let flows = trace.starts.iter().zip(0..).map(|(start, nth)| {
            Flow::new(origin + *start, origin, trace.ends, video, seed.wrapping_mul(31).wrapping_add(nth))
        });
        Self {
            origin,
            now: origin,
            pipe: Pipe::new(origin, trace.way, seed),
            flows: flows.collect(),
            transfer: trace.bulk.map(|(start, bulk)| (origin + start, Transfer::new(bulk, origin + start))),
            trace,
            events: BinaryHeap::new(),
            made: 0,
        }
    }

    /// Until the end.
    pub(super) fn play(&mut self) {
        let end = self.origin + self.trace.length;
        loop {
            let flows = self.flows.iter().map(Flow::due);
            let rest = self.events.peek().map(|event| event.at).into_iter().chain(self.pipe.due());
            let transfer = self
                .transfer
                .as_ref()
                .map(|(start, transfer)| if self.now < *start { *start } else { transfer.due() });
            let Some(next) = flows.chain(rest).chain(transfer).min() else { return };
            // What is due in the past is due now, and a moment later: time never stands still.
            self.now = next.max(self.now);
            if self.now >= end {
                return;
            }
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(left) = self.pipe.leave(now) {
            let what = What::Arrives { cargo: left.content, size: left.size, waited: left.waited };
            self.at(left.arrives, what);
        }
        while self.events.peek().is_some_and(|event| event.at <= now) {
            let Some(event) = self.events.pop() else { break };
            self.happens(event.what);
        }
        for nth in 0..self.flows.len() {
            self.flow(nth);
        }
        self.bulk();
    }

    fn flow(&mut self, nth: usize) {
        let now = self.now;
        let Some(flow) = self.flows.get_mut(nth) else { return };
        if flow.due() > now {
            return;
        }
        let leaves = flow.advance(now);
        let report = flow.report(now);
        for (packet, size) in leaves {
            if self.pipe.enter(now, Cargo::Call(nth, packet), size) == Entry::Dropped
                && let Some(flow) = self.flows.get_mut(nth)
            {
                flow.log.dropped.push(now - self.origin);
            }
        }
        if let Some(report) = report
            && !self.pipe.loses()
        {
            self.at(now + self.trace.way.delay, What::Reported { flow: nth, report });
        }
    }

    fn bulk(&mut self) {
        let now = self.now;
        if now - self.origin >= self.trace.bulk_ends {
            self.transfer = None;
        }
        let Some((start, transfer)) = &mut self.transfer else { return };
        if now < *start {
            return;
        }
        if now >= transfer.due() {
            transfer.timed_out(now);
        }
        while let Some(number) = transfer.poll(now) {
            self.pipe.enter(now, Cargo::Bulk(number), bulk::PACKET);
        }
    }

    fn happens(&mut self, what: What) {
        let now = self.now;
        match what {
            What::Arrives { cargo: Cargo::Call(nth, packet), size, waited } => {
                let at = now - self.origin;
                if let Some(flow) = self.flows.get_mut(nth) {
                    flow.log.waits.push((at, waited));
                    flow.arrived(now, packet, size);
                }
            }
            What::Arrives { cargo: Cargo::Bulk(number), .. } => {
                if !self.pipe.loses() {
                    self.at(now + self.trace.way.delay, What::Acknowledged { number });
                }
            }
            What::Reported { flow, report } => {
                if let Some(flow) = self.flows.get_mut(flow) {
                    flow.reported(now, report);
                }
            }
            What::Acknowledged { number } => {
                if let Some((_, transfer)) = &mut self.transfer {
                    transfer.acknowledged(now, number);
                }
            }
        }
    }

    fn at(&mut self, at: Instant, what: What) {
        self.made += 1;
        self.events.push(Event { at, nth: self.made, what });
    }
}

/// The earliest first, and of those at one time the one made first.
impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.nth).cmp(&(self.at, self.nth))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Event {}

/// The 95th percentile of the one-way delay of the voice, in ms.
pub(super) fn voice_delay(flow: &Flow, from: Duration) -> f64 {
    let delays = flow.log.voice.iter().filter(|(at, _)| *at >= from).map(|(_, took)| ms(*took));
    super::figures::quantile(delays, 0.95)
}
