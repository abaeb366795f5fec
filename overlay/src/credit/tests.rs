use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::*;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_secs(3600);

fn secret(n: u16) -> LinkSecret {
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    LinkSecret::from_secret(bytes)
}

fn between(helper: u16, helped: u16) -> Between {
    Between { helper: secret(helper).public_key(), helped: secret(helped).public_key() }
}

fn at_home(time: Duration) -> Service {
    Service { home: time, ..Service::default() }
}

/// Of an hour that ended so long ago.
fn voucher(helper: u16, helped: u16, ago: Duration) -> Voucher {
    let until = NOW.saturating_sub(ago);
    let period = (until.saturating_sub(HOUR), until);
    Voucher::sign(&secret(helped), Network::Lab, secret(helper).public_key(), period, at_home(HOUR))
}

#[test]
fn a_voucher_is_worth_something_to_its_giver_in_the_hands_of_its_helper_for_a_while() {
    let given = voucher(1, 2, Duration::ZERO);
    let judge = |between, now| suffices(std::slice::from_ref(&given), Network::Lab, between, now);
    assert_eq!(judge(between(1, 2), NOW), Ok(()));
    assert_eq!(judge(between(3, 2), NOW), Err(CreditError::NotTheHelper), "nobody passes it on");
    assert_eq!(judge(between(1, 3), NOW), Err(CreditError::NotTheHelped), "nobody else honours it");
    let later = NOW.saturating_add(HOUR * 100);
    assert_eq!(judge(between(1, 2), later.saturating_sub(HOUR)), Ok(()));
    assert_eq!(judge(between(1, 2), later), Err(CreditError::Expired));
    let most = Service { relayed: u64::MAX, ..Service::default() };
    let most = Voucher::sign(&secret(2), Network::Lab, secret(1).public_key(), (NOW, NOW), most);
    assert_eq!(most.ends(), NOW.saturating_add(CREDIT_LIFETIME));
    let earlier = NOW.saturating_sub(CLOCK_TOLERANCE * 2);
    assert_eq!(judge(between(1, 2), earlier), Err(CreditError::Dates), "from the future");
    assert_eq!(given.verify(Network::Main, between(1, 2), NOW), Err(CreditError::Network));
}

#[test]
fn what_is_shown_twice_or_overlaps_counts_for_nothing_and_little_is_not_enough() {
    let (old, new) = (voucher(1, 2, HOUR * 2), voucher(1, 2, Duration::ZERO));
    let judge = |shown: &[Voucher]| suffices(shown, Network::Lab, between(1, 2), NOW);
    assert_eq!(judge(&[old.clone(), new.clone()]), Ok(()));
    assert_eq!(judge(&[new.clone(), new.clone()]), Err(CreditError::Repeated));
    assert_eq!(judge(&[new.clone(), old]), Err(CreditError::Repeated));
    let half = Duration::from_secs(1_800);
    assert_eq!(judge(&[voucher(1, 2, half), new]), Err(CreditError::Repeated));
    assert_eq!(judge(&[]), Err(CreditError::TooLittle));
    let period = (NOW.saturating_sub(HOUR), NOW);
    let little = at_home(Duration::from_secs(ENOUGH - 1));
    let little = Voucher::sign(&secret(2), Network::Lab, secret(1).public_key(), period, little);
    assert_eq!(judge(&[little]), Err(CreditError::TooLittle));
}

#[test]
fn a_minute_of_answers_or_of_voice_is_worth_what_it_costs_and_nothing_overflows() {
    let answers = Service { answers: 6, ..Service::default() };
    let relayed = Service { relayed: 60 * BYTES_PER_SECOND, ..Service::default() };
    assert_eq!([answers.worth(), relayed.worth()], [60; 2]);
    let most = Service { home: Duration::MAX, answers: u32::MAX, relay: Duration::MAX, relayed: u64::MAX };
    let mut twice = most;
    twice.add(most);
    assert!(twice.worth() >= most.worth());
}

#[test]
fn no_bent_bit_of_a_voucher_is_believed() {
    let bytes = wire::to_bytes(&voucher(1, 2, Duration::ZERO));
    for bit in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        if let Ok(voucher) = wire::from_bytes::<Voucher>(&bent) {
            assert!(voucher.verify(Network::Lab, between(1, 2), NOW).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn whatever_comes_the_ledger_keeps_few_of_few_and_no_time_twice() {
    for seed in 0..3 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut ledger = Ledger::default();
        for _ in 0..2_000 {
            let (helped, ago) = (rng.random_range(0..400), HOUR * rng.random_range(0..40));
            // Refused or not, the bounds hold.
            let _ = ledger.take(voucher(1, helped, ago));
        }
        let kept = ledger.keep().into_vec();
        assert_eq!(kept.len(), ledger.len());
        assert!(kept.len() <= 128 * MAX_SHOWN);
        let mut by_helped: std::collections::BTreeMap<LinkKey, Vec<Voucher>> = Default::default();
        for voucher in kept {
            by_helped.entry(voucher.helped()).or_default().push(voucher);
        }
        assert_eq!(by_helped.len(), 128);
        for (helped, kept) in by_helped {
            assert!(kept.len() <= MAX_SHOWN && kept.windows(2).all(|pair| pair[1].follows(&pair[0])));
            assert_eq!(ledger.of(&helped).map(Bounded::into_vec), Some(kept));
        }
        let again = Ledger::restore(ledger.keep(), NOW);
        assert_eq!(again.keep(), ledger.keep(), "a restart forgets nothing");
        let later = NOW.saturating_add(CREDIT_LIFETIME);
        assert_eq!(Ledger::restore(ledger.keep(), later).len(), 0, "and keeps nothing that is over");
    }
}

#[test]
fn a_ledger_takes_no_voucher_again_and_forgets_who_gave_none_for_longest() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.take(voucher(1, 2, HOUR)), Ok(()));
    assert_eq!(ledger.take(voucher(1, 2, HOUR)), Err(CreditError::Repeated));
    assert_eq!(ledger.take(voucher(1, 2, HOUR * 3)), Err(CreditError::Repeated), "an older one");
    for helped in 3..=130 {
        ledger.take(voucher(1, helped, Duration::ZERO)).unwrap();
    }
    assert!(!ledger.knows(&secret(2).public_key()) && ledger.knows(&secret(3).public_key()));
    ledger.expire(NOW.saturating_add(CREDIT_LIFETIME));
    assert_eq!(ledger.len(), 0);
}

#[test]
fn tabs_count_so_many_helpers_and_are_closed_once() {
    let mut tabs = Tabs::default();
    for helper in 0..1_000 {
        tabs.count(NOW, secret(helper).public_key(), at_home(Duration::from_secs(ENOUGH)));
    }
    assert_eq!(tabs.due().count(), 256);
    let first = secret(0).public_key();
    tabs.count(NOW.saturating_add(HOUR), first, at_home(HOUR));
    let tab = tabs.close(&first).unwrap();
    assert_eq!((tab.since, tab.service.worth()), (NOW, ENOUGH + 3_600));
    assert!(tabs.close(&first).is_none());
}
