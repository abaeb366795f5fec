//! Packets that left together, and how much longer each group took than the one before.
//!
//! ```text
//! sent      |aaa  |bbb  |c          a group: what left within 5 ms (BURST)
//! arrived     |a a a  |bbb   |c     change = (arrival of b − arrival of a) − (sending of b − sending of a)
//! ```
//!
//! draft-ietf-rmcat-gcc-02 §5.2 and §5.3. A queue on the way releases packets back to back that left further apart, so
//! what arrives within a burst and faster than it was sent belongs to the group as well.

use super::Arrived;

/// What leaves within this is one group, in µs (draft-ietf-rmcat-gcc-02 §5.2).
const BURST: i64 = 5_000;
/// A group that arrives back to back is cut after this, in µs, else a full queue would be one group.
const LONGEST: i64 = 100_000;
/// A change of transit as large as this comes of a clock that was set, in µs.
const CLOCK_SET: i64 = 3_000_000;
/// So many packets of the past in a row: it is the clock that went back.
const TOO_OLD: u32 = 5;

#[derive(Debug, Default)]
pub(super) struct Groups {
    previous: Option<Group>,
    current: Option<Group>,
    old: u32,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent: i64,
    last_sent: i64,
    first_arrival: i64,
    last_arrival: i64,
}

/// How one group compares with the one before; all in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    /// Time between their sending.
    pub(super) sent: f64,
    /// Time between their arrivals.
    pub(super) arrived: f64,
    /// When the later one arrived.
    pub(super) at: f64,
}

/// What a packet tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Its group is not complete.
    Open,
    /// The group before it is complete.
    Complete(Change),
    /// The receiver's clock was set: nothing before compares with what follows.
    Restart,
}

impl Groups {
    pub(super) fn arrived(&mut self, packet: Arrived) -> Step {
        let Some(current) = &mut self.current else {
            self.current = Some(Group::of(packet));
            return Step::Open;
        };
        if packet.sent < current.first_sent {
            return Step::Open;
        }
        if current.takes(packet) {
            current.last_sent = current.last_sent.max(packet.sent);
            current.last_arrival = current.last_arrival.max(packet.arrival);
            return Step::Open;
        }
        let complete = *current;
        let Some(previous) = self.previous.replace(complete) else {
            self.current = Some(Group::of(packet));
            return Step::Open;
        };
        self.current = Some(Group::of(packet));
        let sent = complete.last_sent - previous.last_sent;
        let arrived = complete.last_arrival - previous.last_arrival;
        if (arrived - sent).abs() > CLOCK_SET {
            *self = Self { current: self.current, ..Self::default() };
            return Step::Restart;
        }
        if arrived < 0 {
            self.old += 1;
            if self.old > TOO_OLD {
                *self = Self::default();
                return Step::Restart;
            }
            return Step::Open;
        }
        self.old = 0;
        Step::Complete(Change { sent: ms(sent), arrived: ms(arrived), at: ms(complete.last_arrival) })
    }
}

impl Group {
    fn of(packet: Arrived) -> Self {
        Self {
            first_sent: packet.sent,
            last_sent: packet.sent,
            first_arrival: packet.arrival,
            last_arrival: packet.arrival,
        }
    }

    fn takes(&self, packet: Arrived) -> bool {
        if packet.sent - self.first_sent <= BURST {
            return true;
        }
        let after = packet.arrival - self.last_arrival;
        let change = after - (packet.sent - self.last_sent);
        change < 0 && after.abs() <= BURST && packet.arrival - self.first_arrival < LONGEST
    }
}

fn ms(micros: i64) -> f64 {
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(packets: &[(i64, i64)]) -> Vec<Step> {
        let mut groups = Groups::default();
        let arrived = |&(sent, arrival): &(i64, i64)| {
            groups.arrived(Arrived { sent: sent * 1000, arrival: arrival * 1000, size: 1200, probe: None })
        };
        packets.iter().map(arrived).filter(|step| *step != Step::Open).collect()
    }

    #[test]
    fn groups_are_compared_when_the_next_one_begins() {
        let steps = changes(&[(0, 20), (2, 22), (20, 40), (24, 46), (40, 62)]);
        assert_eq!(steps, [Step::Complete(Change { sent: 22.0, arrived: 24.0, at: 46.0 })]);
    }

    #[test]
    fn what_a_queue_releases_at_once_is_one_group() {
        let stalled = [(0, 20), (20, 120), (40, 121), (60, 122), (80, 123), (100, 150), (120, 170)];
        let steps = changes(&stalled);
        assert_eq!(steps[0], Step::Complete(Change { sent: 80.0, arrived: 103.0, at: 123.0 }));
    }

    #[test]
    fn packets_of_the_past_say_nothing_and_a_clock_that_is_set_starts_anew() {
        assert_eq!(changes(&[(40, 60), (20, 61), (0, 62)]), []);
        let jump = [(0, 20), (20, 40), (40, 90_000), (60, 90_020), (80, 90_040), (100, 90_060)];
        assert!(changes(&jump).contains(&Step::Restart));
        let back: Vec<_> = (0..20).map(|nth| (nth * 20, 2000 - nth * 20)).collect();
        assert!(changes(&back).iter().all(|step| *step == Step::Restart));
    }
}
