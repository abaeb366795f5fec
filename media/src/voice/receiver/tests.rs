use super::*;
use crate::voice::{Reported, Transmission, VoicePacket, VoiceSender, VoiceSenderConfig};

mod lengths;

const MS: Duration = Duration::from_millis(1);

#[expect(clippy::disallowed_methods, reason = "simulated time needs some instant to begin at")]
fn any_instant() -> Instant {
    Instant::now()
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Something like speech: a gliding voice with harmonics, in syllables with pauses.
fn speech(seconds: usize) -> Vec<f32> {
    let mut phase = 0.0f32;
    (0..seconds * 48_000)
        .map(|at| {
            let time = at as f32 / 48_000.0;
            phase += (120.0 + 30.0 * (time * 1.7).sin()) / 48_000.0;
            let syllable = (time * 3.1 * std::f32::consts::PI).sin().max(0.0);
            let formant = 1.0 + 0.8 * (time * 2.3).sin();
            let voice: f32 = (1..12)
                .map(|harmonic| {
                    let weight = (-(harmonic as f32 - 3.0 * formant).powi(2) / 8.0).exp();
                    weight * (phase * harmonic as f32 * std::f32::consts::TAU).sin()
                })
                .sum();
            0.15 * syllable * voice
        })
        .collect()
}

fn packets_of(sound: &[f32]) -> Vec<VoicePacket> {
    packets_by(VoiceSender::new(VoiceSenderConfig::default()).unwrap(), sound)
}

/// The same for an end that takes Opus alone and has told of loss.
fn packets_with_coarse_copies(sound: &[f32]) -> Vec<VoicePacket> {
    let mut sender = VoiceSender::new(VoiceSenderConfig::default()).unwrap();
    (0..10).for_each(|_| sender.handle_report(Reported { loss: 0.1, ..Reported::default() }));
    packets_by(sender, sound)
}

fn packets_by(mut sender: VoiceSender, sound: &[f32]) -> Vec<VoicePacket> {
    let blocks = sound.as_chunks::<BLOCK>().0;
    blocks.iter().filter_map(|block| sender.capture(block)).collect()
}

/// What one simulated call did.
struct Heard {
    sound: Vec<f32>,
    stats: PlayoutStats,
    /// The delay after every block.
    delays: Vec<Duration>,
}

/// Sends `packets` every 20 ms, repeats 10 ms after the first; `fate` gives each the delays after which copies of it arrive.
fn call(packets: &[VoicePacket], mut fate: impl FnMut(usize) -> Vec<Duration>) -> Heard {
    call_from((0, 0), packets, &mut fate)
}

fn call_from(
    (sequence, timestamp): (u16, u32),
    packets: &[VoicePacket],
    fate: &mut dyn FnMut(usize) -> Vec<Duration>,
) -> Heard {
    let start = any_instant();
    let mut arrivals: Vec<(Duration, usize)> = (0..packets.len())
        .flat_map(|at| fate(at).into_iter().map(move |delay| (sent(&packets[at]) + delay, at)))
        .collect();
    arrivals.sort();
    let mut arrivals = arrivals.into_iter().peekable();
    let mut receiver = VoiceReceiver::new(VoiceReceiverConfig::default(), start).unwrap();
    let (mut sound, mut delays) = (Vec::new(), Vec::new());
    for tick in 0..frames_of(packets) * 2 {
        let now = 10 * MS * tick;
        while let Some((at, packet)) = arrivals.next_if(|(at, _)| *at <= now) {
            let VoicePacket { payload, timestamp: media, copies, transmission } = &packets[packet];
            let sequence = sequence.wrapping_add((media / OPUS_FRAME as u32) as u16);
            let timestamp = timestamp.wrapping_add(*media);
            match transmission {
                Transmission::First => receiver.insert(start + at, sequence, timestamp, payload),
                Transmission::Repeat => receiver.insert_repeat(start + at, sequence, timestamp, payload),
            }
            receiver.insert_copies(start + at, sequence, timestamp, copies);
        }
        let mut block = [0.0; BLOCK];
        receiver.play(start + now, &mut block);
        sound.extend_from_slice(&block);
        delays.push(receiver.stats().playout_delay);
    }
    Heard { sound, stats: receiver.stats(), delays }
}

/// When it is sent.
fn sent(packet: &VoicePacket) -> Duration {
    let half = if packet.transmission == Transmission::Repeat { 10 * MS } else { Duration::ZERO };
    20 * MS * (packet.timestamp / OPUS_FRAME as u32) + half
}

fn frames_of(packets: &[VoicePacket]) -> u32 {
    packets.last().map_or(0, |last| last.timestamp / OPUS_FRAME as u32 + 1)
}

/// The samples that Opus alone makes of the packets.
fn decoded(packets: &[VoicePacket]) -> Vec<f32> {
    let mut decoder = Decoder::new().unwrap();
    let mut scratch = [0.0; MAX_DECODED];
    let mut sound = Vec::new();
    for packet in packets {
        let count = decoder.decode(&packet.payload, &mut scratch).unwrap();
        sound.extend_from_slice(&scratch[..count]);
    }
    sound
}

/// The lag of `heard` behind `source` (up to 400 ms) and how alike they are there.
fn alike(source: &[f32], heard: &[f32]) -> (usize, f32) {
    let likeness = |lag: usize, step: usize| {
        let (mut product, mut here, mut there) = (0.0f64, 1e-9f64, 1e-9f64);
        for at in (0..source.len().min(heard.len() - lag)).step_by(step) {
            let (a, b) = (f64::from(source[at]), f64::from(heard[at + lag]));
            product += a * b;
            here += a * a;
            there += b * b;
        }
        (product / (here * there).sqrt()) as f32
    };
    let best = |lags: &mut dyn Iterator<Item = usize>, step| {
        lags.map(|lag| (likeness(lag, step), lag)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
    };
    let (_, near) = best(&mut (0..19_200).step_by(24), 48);
    let (likeness, lag) = best(&mut (near.saturating_sub(24)..near + 24), 7);
    (lag, likeness)
}

/// The share of quarter seconds of `heard` that are clearly the `source`, each by its own lag.
fn intelligible(source: &[f32], heard: &[f32]) -> f32 {
    let windows: Vec<bool> = source
        .chunks_exact(12_000)
        .enumerate()
        .filter(|(at, window)| *at > 2 && (at + 1) * 12_000 + 19_300 < heard.len() && loud(window))
        .map(|(at, window)| alike(window, &heard[at * 12_000..at * 12_000 + 31_300]).1 > 0.8)
        .collect();
    windows.iter().filter(|good| **good).count() as f32 / windows.len() as f32
}

fn loud(window: &[f32]) -> bool {
    window.iter().map(|sample| sample * sample).sum::<f32>() > 12.0
}

#[test]
fn a_clean_path_is_sample_exact_and_nothing_is_invented() {
    let source = speech(5);
    let packets = packets_of(&source);
    let heard = call(&packets, |_| vec![30 * MS]);
    let begins = heard.sound.iter().position(|sample| *sample != 0.0).unwrap();
    let expected = decoded(&packets);
    let leads = expected.iter().position(|sample| *sample != 0.0).unwrap();
    let silence = begins - leads;
    assert_eq!(heard.sound[silence..], expected[..heard.sound.len() - silence]);
    assert!(silence <= 48 * 60, "it began after {silence} samples");
    let stats = heard.stats;
    assert_eq!((stats.concealed, stats.recovered, stats.stretched, stats.squeezed), (0, 0, 0, 0));
    assert_eq!((stats.lost, stats.late, stats.duplicates, stats.discarded), (0, 0, 0, 0));
    assert!(stats.playout_delay <= 30 * MS, "{stats:?}");
    let (lag, likeness) = alike(&source, &heard.sound);
    assert!(likeness > 0.9, "lag {lag}, likeness {likeness}");
}

#[test]
fn reordered_packets_are_played_in_order() {
    let packets = packets_of(&speech(5));
    let heard = call(&packets, |at| vec![if at % 5 == 2 { 55 * MS } else { 30 * MS }]);
    assert!(heard.stats.lost < 3, "{:?}", heard.stats);
    assert!(heard.stats.concealed_ratio() < 0.01, "{:?}", heard.stats);
}

#[test]
fn duplicates_are_dropped() {
    let packets = packets_of(&speech(3));
    let heard = call(&packets, |_| vec![30 * MS, 31 * MS, 95 * MS]);
    let sent = packets.len() as u64;
    assert!((sent - 5..=sent).contains(&heard.stats.received));
    assert!(heard.stats.duplicates > 2 * sent - 10, "{:?}", heard.stats);
    assert_eq!((heard.stats.late, heard.stats.concealed), (0, 0));
}

#[test]
fn one_lost_packet_in_ten_is_mostly_recovered() {
    let source = speech(20);
    let packets = packets_with_coarse_copies(&source);
    let mut dice = Dice(1);
    let heard = call(&packets, |_| if dice.below(10) == 0 { vec![] } else { vec![30 * MS] });
    assert!(heard.stats.lost > 70, "{:?}", heard.stats);
    // Of pauses there are no copies.
    assert!(2 * heard.stats.recovered > heard.stats.lost, "{:?}", heard.stats);
    assert!(heard.stats.playout_delay < 50 * MS, "{:?}", heard.stats);
    let share = intelligible(&source, &heard.sound);
    assert!(share > 0.9, "{share}");
}

#[test]
fn bursts_are_bridged_and_media_time_is_kept() {
    let source = speech(10);
    let packets = packets_of(&source);
    let heard = call(&packets, |at| if at % 50 < 4 && at > 50 { vec![] } else { vec![30 * MS] });
    assert!(heard.stats.playout_delay < 60 * MS, "{:?}", heard.stats);
    let share = intelligible(&source, &heard.sound);
    assert!(share > 0.6, "{share}");
}

#[test]
fn jitter_is_waited_for_and_the_wait_ends_with_it() {
    let source = speech(60);
    let packets = packets_of(&source);
    let mut dice = Dice(3);
    let heard = call(&packets, |at| {
        let jitter = if at < 1000 { dice.below(80_000) } else { 0 };
        vec![30 * MS + Duration::from_micros(jitter)]
    });
    let stats = heard.stats;
    assert!(stats.late * 50 < packets.len() as u64, "{stats:?}");
    assert!(stats.concealed_ratio() < 0.02, "{stats:?}");
    assert!(heard.delays[1900] > 60 * MS && heard.delays[1900] < 120 * MS, "{:?}", heard.delays[1900]);
    assert!(heard.delays[5800] < 45 * MS, "{:?}", heard.delays[5800]);
    let share = intelligible(&source, &heard.sound);
    assert!(share > 0.85, "{share}");
}

#[test]
fn what_is_late_by_chance_does_not_make_the_rest_later() {
    let packets = packets_of(&speech(30));
    let mut dice = Dice(5);
    let heard = call(&packets, |at| {
        // Once in two seconds one is later than is waited for, and holds up the next.
        let delay = match at % 100 {
            50 if at > 1000 => 95 * MS,
            51 if at > 1000 => 75 * MS,
            52 if at > 1000 => 55 * MS,
            53 if at > 1000 => 35 * MS,
            _ => 30 * MS + Duration::from_micros(dice.below(20_000)),
        };
        vec![delay]
    });
    let (before, after) = (heard.delays[2 * 1040], heard.delays[2 * 1065]);
    assert!(heard.stats.concealed > 0, "{:?}", heard.stats);
    assert!(after <= before + 6 * MS, "{before:?} {after:?}");
}

#[test]
fn a_spike_is_survived_and_caught_up_within_two_seconds() {
    let packets = packets_of(&speech(10));
    // Packets sent during the stall come together when it ends.
    let heard = call(&packets, |at| {
        let stalled = if (250..262).contains(&at) { 20 * MS * (262 - at as u32) } else { Duration::ZERO };
        vec![30 * MS + stalled]
    });
    assert_eq!(heard.stats.late, 0, "{:?}", heard.stats);
    assert!(heard.stats.squeezed > 48 * 150, "{:?}", heard.stats);
    let during = heard.delays[500..600].iter().max().copied().unwrap_or_default();
    let after = heard.delays[525 + 200];
    assert!(during > 100 * MS, "{during:?}");
    assert!(after < 60 * MS, "{after:?}");
}

#[test]
fn both_counters_wrap_in_the_middle_of_a_word() {
    let packets = packets_of(&speech(5));
    let heard = call_from((65_450, u32::MAX - 70_000), &packets, &mut |_| vec![30 * MS]);
    assert_eq!((heard.stats.lost, heard.stats.concealed), (0, 0));
    assert!(heard.stats.received + 2 >= packets.len() as u64);
}

#[test]
fn a_sender_that_starts_anew_is_followed() {
    let packets = packets_of(&speech(4));
    let start = any_instant();
    let mut receiver = VoiceReceiver::new(VoiceReceiverConfig::default(), start).unwrap();
    let mut block = [0.0; BLOCK];
    let mut last_second = 0.0;
    for tick in 0..400u32 {
        let now = start + 10 * MS * tick;
        if tick % 2 == 0 {
            let packet = &packets[(tick / 2) as usize];
            let (sequence, timestamp) = if tick < 200 { (0, 0) } else { (31_000, 1_900_000_000) };
            receiver.insert(now, sequence + (tick / 2) as u16, timestamp + packet.timestamp, &packet.payload);
        }
        receiver.play(now, &mut block);
        if tick > 300 {
            last_second += block.iter().map(|sample| sample * sample).sum::<f32>();
        }
    }
    assert!(last_second > 10.0);
    assert!(receiver.stats().discarded <= 1, "{:?}", receiver.stats());
}

#[test]
fn a_long_silence_is_silent_and_what_comes_after_is_heard() {
    let packets = packets_of(&speech(30));
    let heard = call(&packets, |at| if (100..1200).contains(&at) { vec![] } else { vec![30 * MS] });
    let quiet = &heard.sound[48_000 * 4..48_000 * 23];
    assert!(quiet.iter().all(|sample| *sample == 0.0));
    assert!(heard.sound[48_000 * 25..].iter().any(|sample| sample.abs() > 0.05));
    assert!(heard.delays[2900] < 60 * MS, "{:?}", heard.delays[2900]);
}

#[test]
fn a_gap_in_media_time_without_loss_is_not_loss() {
    let packets = packets_of(&speech(6));
    let start = any_instant();
    let mut receiver = VoiceReceiver::new(VoiceReceiverConfig::default(), start).unwrap();
    let mut sequence = 0;
    for tick in 0..600u32 {
        let now = start + 10 * MS * tick;
        // The sender says nothing for 300 ms, three times (discontinuous transmission).
        if tick % 2 == 0 && !(tick % 200 > 100 && tick % 200 < 130) {
            let packet = &packets[(tick / 2) as usize];
            receiver.insert(now, sequence, packet.timestamp, &packet.payload);
            sequence += 1;
        }
        receiver.play(now, &mut [0.0; BLOCK]);
    }
    assert_eq!(receiver.stats().lost, 0);
    assert_eq!(receiver.stats().late, 0);
}

#[test]
fn garbage_never_panics_and_is_counted() {
    let packets = packets_of(&speech(2));
    let start = any_instant();
    let mut receiver = VoiceReceiver::new(VoiceReceiverConfig::default(), start).unwrap();
    let mut dice = Dice(9);
    let mut block = [0.0; BLOCK];
    for tick in 0..20_000u32 {
        let now = start + 3 * MS * tick;
        let mut payload: Vec<u8> = match dice.below(3) {
            0 => (0..dice.below(300)).map(|_| dice.below(256) as u8).collect(),
            1 => packets[dice.below(100) as usize].payload.clone(),
            _ => vec![0xff; dice.below(1500) as usize],
        };
        if let Some(byte) = payload.first_mut().filter(|_| dice.below(4) == 0) {
            *byte = dice.below(256) as u8;
        }
        let (sequence, timestamp) = match dice.below(3) {
            0 => (dice.below(65_536) as u16, dice.below(1 << 32) as u32),
            1 => (tick as u16, tick.wrapping_mul(137)),
            _ => (tick as u16, tick.wrapping_mul(960)),
        };
        receiver.insert(now, sequence, timestamp, &payload);
        receiver.play(now, &mut block);
        assert!(block.iter().all(|sample| sample.is_finite()));
    }
    assert!(receiver.stats().discarded > 1000);
}

#[test]
fn a_receiver_that_is_not_pulled_stays_bounded() {
    let packets = packets_of(&speech(20));
    let start = any_instant();
    let mut receiver = VoiceReceiver::new(VoiceReceiverConfig::default(), start).unwrap();
    for (at, packet) in packets.iter().enumerate() {
        receiver.insert(start + 20 * MS * at as u32, at as u16, packet.timestamp, &packet.payload);
    }
    assert!(receiver.stats().discarded > 700);
    let mut block = [0.0; BLOCK];
    (0..20).for_each(|_| receiver.play(start + 20_000 * MS, &mut block));
    assert!(receiver.stats().playout_delay < 200 * MS, "{:?}", receiver.stats());
}

/// The same packets with a copy of each frame so many packets later.
fn with_copies(packets: &[VoicePacket], distances: &[usize]) -> Vec<VoicePacket> {
    let copy = |at: usize, distance: usize| {
        let payload = packets.get(at.checked_sub(distance)?)?.payload.clone();
        Some(EarlierFrame { behind: (distance * OPUS_FRAME) as u32, payload })
    };
    let copies = |at: usize| distances.iter().rev().filter_map(|distance| copy(at, *distance)).collect();
    packets
        .iter()
        .enumerate()
        .map(|(at, packet)| VoicePacket { copies: copies(at), ..packet.clone() })
        .collect()
}

/// Each frame in two packets of its own.
fn repeated(packets: &[VoicePacket]) -> Vec<VoicePacket> {
    let repeat = |packet: &VoicePacket| VoicePacket { transmission: Transmission::Repeat, ..packet.clone() };
    packets.iter().flat_map(|packet| [packet.clone(), repeat(packet)]).collect()
}

/// Whether the last seconds are what Opus alone makes of the packets.
fn ends_whole(heard: &Heard, packets: &[VoicePacket]) -> bool {
    let expected = decoded(packets);
    let (tail, from) = (heard.sound.len() - 48_000 * 5, 48_000 * 14);
    let begins =
        (from..expected.len() - 48_000).find(|at| expected[*at..*at + 960] == heard.sound[tail..tail + 960]);
    begins.is_some_and(|at| expected[at..at + 48_000 * 4] == heard.sound[tail..tail + 48_000 * 4])
}

#[test]
fn a_lost_frame_that_is_repeated_is_played_as_if_nothing_had_been_lost_and_waited_for_half_a_frame() {
    let packets = packets_of(&speech(20));
    // Of every tenth frame the first transmission is lost.
    let heard = call(&repeated(&packets), |at| if at % 20 == 10 { vec![] } else { vec![30 * MS] });
    assert!(heard.stats.lost > 90 && heard.stats.recovered > 90, "{:?}", heard.stats);
    assert!(ends_whole(&heard, &packets));
    assert!(heard.delays[1990] < 30 * MS, "{:?}", heard.delays[1990]);
}

#[test]
fn repeats_of_what_came_change_nothing() {
    let packets = packets_of(&speech(5));
    let once = call(&packets, |_| vec![30 * MS]);
    let twice = call(&repeated(&packets), |_| vec![30 * MS]);
    assert_eq!(once.sound, twice.sound);
    assert_eq!((twice.stats.lost, twice.stats.recovered), (0, 0), "{:?}", twice.stats);
}

#[test]
fn repeats_that_are_no_frames_are_counted_and_dropped_and_alone_they_begin_no_stream() {
    let mut packets = repeated(&packets_of(&speech(2)));
    packets.iter_mut().skip(1).step_by(2).for_each(|repeat| repeat.payload.clear());
    let heard = call(&packets, |at| if at % 20 == 10 { vec![] } else { vec![30 * MS] });
    assert!(heard.stats.discarded > 90 && heard.stats.recovered == 0, "{:?}", heard.stats);
    let repeats = repeated(&packets_of(&speech(2)));
    let heard = call(&repeats, |at| if at % 2 == 0 { vec![] } else { vec![30 * MS] });
    assert!(heard.sound.iter().all(|sample| *sample == 0.0) && heard.stats.received == 0);
}

#[test]
fn what_was_invented_of_a_frame_before_it_was_known_to_be_lost_is_not_invented_again() {
    let packets = packets_of(&speech(20));
    let heard = call(&packets, |at| if at % 50 == 25 { vec![] } else { vec![30 * MS] });
    let PlayoutStats { lost, concealed, squeezed, .. } = heard.stats;
    assert!(lost > 15, "{lost}");
    assert_eq!((concealed, squeezed), (lost * OPUS_FRAME as u64, 0));
}

#[test]
fn a_lost_frame_whose_copy_comes_is_played_sample_by_sample_as_if_nothing_had_been_lost() {
    let packets = packets_of(&speech(20));
    let sent = with_copies(&packets, &[1]);
    let heard = call(&sent, |at| if at % 10 == 5 { vec![] } else { vec![30 * MS] });
    assert!(heard.stats.lost > 90 && heard.stats.recovered > 80, "{:?}", heard.stats);
    // Once it has learnt to wait for copies.
    assert!(ends_whole(&heard, &packets));
}

#[test]
fn copies_are_waited_for_only_while_something_is_lost() {
    let packets = with_copies(&packets_of(&speech(30)), &[3]);
    let heard = call(&packets, |at| if at < 500 && at % 50 < 3 { vec![] } else { vec![30 * MS] });
    assert!(heard.delays[990] > 55 * MS, "{:?}", heard.delays[990]);
    assert!(heard.delays[2950] < 40 * MS, "{:?}", heard.delays[2950]);
}

#[test]
fn copies_that_are_no_frames_are_counted_and_dropped() {
    let mut packets = with_copies(&packets_of(&speech(2)), &[1]);
    for packet in &mut packets {
        for copy in &mut packet.copies {
            (copy.behind, copy.payload) = if packet.timestamp.is_multiple_of(1920) {
                (961, copy.payload.clone())
            } else {
                (960, vec![])
            };
        }
    }
    let heard = call(&packets, |_| vec![30 * MS]);
    assert!(heard.stats.discarded > 90, "{:?}", heard.stats);
    assert_eq!(heard.stats.recovered, 0);
}
