use std::{net::SocketAddr, time::Duration};

use super::*;
use crate::{identity::LinkSecret, sim::origin};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_secs(3600);

fn record(secret: u16, address: &str) -> SupernodeRecord {
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&secret.to_be_bytes());
    let address: SocketAddr = address.parse().unwrap();
    SupernodeRecord::sign(&LinkSecret::from_secret(bytes), Network::Main, address, None, None, NOW, HOUR)
}

fn point(n: u8) -> Key {
    Key::of_person(&crate::PublicKey::from_bytes([n; 32]))
}

/// In a /24 of its own.
fn lone(secret: u16) -> SupernodeRecord {
    let [high, low] = secret.to_be_bytes();
    record(secret, &format!("9.{high}.{low}.1:1"))
}

fn table(total: usize, bucket: usize) -> Table {
    Table::new(Network::Main, point(0), Bounds { total, bucket })
}

fn bucket_of(table: &Table, record: &SupernodeRecord) -> u16 {
    table.own.shared_bits(&Key::of_node(&record.node()))
}

fn fill(table: &mut Table, records: impl IntoIterator<Item = SupernodeRecord>) {
    for record in records {
        let node = record.node();
        if table.insert(record) == Inserted::New {
            table.reached(&node);
        }
    }
}

#[test]
fn the_closest_are_those_a_search_of_everybody_finds() {
    let mut table = table(1_000, 1_000);
    fill(&mut table, (0..300).map(lone));
    for n in 0..40 {
        let node = lone(n * 7).node();
        for _ in 0..DEAD {
            table.failed(&node, |_| origin() + HOUR);
        }
    }
    let now = origin();
    for n in 1..4 {
        let key = point(n);
        for count in [1, 20, 100, 290] {
            let mut all: Vec<_> = table
                .iter()
                .map(|known| {
                    ((!known.is_live(now), Key::of_node(&known.record.node()).distance(&key)), known)
                })
                .collect();
            all.sort_by_key(|(order, _)| *order);
            let right: Vec<LinkKey> = all.iter().take(count).map(|(_, known)| known.record.node()).collect();
            let found: Vec<LinkKey> =
                table.closest(&key, count, now, |_| false).iter().map(|known| known.record.node()).collect();
            assert_eq!(found, right, "{count} closest to {n}");
            let (place, live) = (point(9), all.iter().filter(|((dead, _), _)| !dead));
            let closer = live.filter(|((_, at), _)| *at < place.distance(&key)).count();
            assert_eq!(table.closer_than(now, &key, &place, count), closer.min(count));
        }
    }
}

#[test]
fn a_full_table_keeps_live_old_entries_and_never_starves_the_nearest_buckets() {
    let mut table = table(40, 8);
    fill(&mut table, (0..40).map(lone));
    let far: Vec<LinkKey> =
        (0..40).map(lone).filter(|r| bucket_of(&table, r) == 0).map(|r| r.node()).collect();
    assert!(far.len() > 8, "the farthest bucket has more than its share: {}", far.len());
    let newcomer = (40..).map(lone).find(|r| bucket_of(&table, r) == 0).unwrap();
    assert_eq!(table.insert(newcomer.clone()), Inserted::Waiting);
    assert!(far.iter().all(|node| table.get(node).is_some()), "the old ones live");
    assert!(!table.has_all_heard_of());
    // A near one takes the room of a far one.
    let near = (40..).map(lone).find(|r| bucket_of(&table, r) >= 4).unwrap();
    assert_eq!(table.insert(near.clone()), Inserted::New);
    assert_eq!((table.len(), far.iter().filter(|node| table.get(node).is_none()).count()), (40, 1));
    // Whoever waits takes the place of the dead.
    let dead = *far.iter().find(|node| table.get(node).is_some()).unwrap();
    for _ in 0..DEAD {
        table.failed(&dead, |_| origin());
    }
    assert!(table.get(&dead).is_none());
    assert!(table.get(&newcomer.node()).is_some());
}

#[test]
fn one_prefix_fills_no_bucket() {
    let mut table = table(1_000, 1_000);
    let crowd = (0..200).map(|n| record(n, &format!("9.9.9.{n}:1")));
    fill(&mut table, crowd);
    let buckets: Vec<usize> = table.buckets.values().copied().collect();
    assert!(buckets.iter().all(|count| *count <= PER_PREFIX), "{buckets:?}");
    let total = table.len();
    assert_eq!(table.insert(record(999, "9.9.8.1:1")), Inserted::New);
    assert_eq!(table.len(), total + 1);
    assert_eq!(table.prefixes.values().sum::<usize>(), total + 1);
}

#[test]
fn expiry_leaves_nothing_behind() {
    let mut table = table(100, 8);
    fill(&mut table, (0..50).map(lone));
    table.expire(NOW.saturating_add(HOUR));
    assert!(table.is_empty());
    assert!(table.buckets.is_empty() && table.prefixes.is_empty());
}

#[test]
fn who_had_no_room_for_a_spare_is_asked_by_somebody_who_has_lost_every_home() {
    let (mut table, now) = (table(10, 10), origin());
    let node = lone(1).node();
    fill(&mut table, [lone(1)]);
    let may_have_room = |table: &Table, need| table.get(&node).unwrap().may_have_room(now, need);
    table.busy(&node, Need::Spare, now + HOUR);
    assert!(!may_have_room(&table, Need::Spare) && may_have_room(&table, Need::Homeless));
    table.reached(&node);
    assert!(!may_have_room(&table, Need::Spare), "that it answers does not mean that it has room");
    table.busy(&node, Need::Homeless, now + HOUR);
    assert!(!may_have_room(&table, Need::Spare) && !may_have_room(&table, Need::Homeless));
    assert_eq!(table.get(&node).unwrap().paused_until(now), Some(now + HOUR));
}
