use super::*;

const MUTE: Command = Command::SetMuted(true);
const BEGIN: Command = Command::Talk(Talk::Begin);
const GO_ON: Command = Command::Talk(Talk::GoOn);

/// A call, somebody at the keyboard, and an engine that does as it is told.
struct Call {
    talking: Talking,
    now: Instant,
    microphone: Microphone,
    keyboard: Keyboard,
}

impl Call {
    fn muted() -> Self {
        Self {
            talking: Talking::default(),
            now: Instant::now(),
            microphone: Microphone::Muted,
            keyboard: Keyboard::Free,
        }
    }

    /// One frame with these presses; what the engine was told.
    fn frame(&mut self, presses: &[Press]) -> Option<Command> {
        let look = Look { now: self.now, microphone: self.microphone, keyboard: self.keyboard };
        for press in presses {
            self.talking.press(*press, look);
        }
        self.talking.settle(look);
        let wish = self.talking.wish(self.now);
        if let Some(wish) = &wish {
            self.talking.told(self.now);
            self.microphone = match wish {
                Command::SetMuted(true) => Microphone::Muted,
                _ => Microphone::Open,
            };
        }
        wish
    }

    /// So much later, with nothing but repeats.
    fn hold_for(&mut self, seconds: u32) -> Vec<Command> {
        (0..seconds * 20)
            .filter_map(|_| {
                self.now += Duration::from_millis(50);
                self.frame(&[Press::Again])
            })
            .collect()
    }

    /// So much later, with nothing at all.
    fn wait_for(&mut self, seconds: u32) -> Vec<Command> {
        (0..seconds * 20)
            .filter_map(|_| {
                self.now += Duration::from_millis(50);
                self.frame(&[])
            })
            .collect()
    }
}

/// One that is heard.
fn held() -> Call {
    let mut call = Call::muted();
    assert_eq!(call.frame(&[Press::Down]), Some(BEGIN));
    assert_eq!(call.frame(&[]), None);
    assert!(call.talking.is_heard());
    call
}

#[test]
fn whoever_is_muted_is_heard_while_they_hold_space() {
    let mut call = held();
    assert_eq!(call.frame(&[Press::Up]), Some(MUTE));
    assert!(!call.talking.is_heard());
    assert_eq!(call.wait_for(3), []);
    assert_eq!(call.frame(&[Press::Down]), Some(BEGIN));
}

#[test]
fn the_engine_is_told_again_for_as_long_as_it_is_held() {
    let mut call = held();
    let told = call.hold_for(10);
    assert!(told.iter().all(|command| *command == GO_ON), "{told:?}");
    assert!(told.len() >= 10, "{} times in ten seconds", told.len());
    assert!(RENEWED * 3 <= crate::engine::talking::LENT, "a late frame or two close nothing");
}

#[test]
fn it_is_held_also_where_keys_do_not_repeat() {
    let mut call = held();
    assert!(call.wait_for(60).iter().all(|command| *command == GO_ON));
    assert!(call.talking.is_heard());
}

#[test]
fn a_key_that_repeats_no_more_is_let_go_of() {
    let mut call = held();
    call.hold_for(3);
    assert_eq!(call.wait_for(5).last(), Some(&MUTE));
    assert_eq!(call.hold_for(1), [], "it is not a new press");
}

#[test]
fn a_key_that_gave_way_to_another_need_not_repeat() {
    let mut call = held();
    call.hold_for(3);
    call.frame(&[Press::Other]);
    call.wait_for(60);
    assert!(call.talking.is_heard());
    assert_eq!(call.frame(&[Press::Up]), Some(MUTE));
}

#[test]
fn another_window_takes_the_key_be_it_for_a_moment() {
    let mut call = held();
    call.keyboard = Keyboard::Elsewhere;
    assert_eq!(call.frame(&[]), Some(MUTE));
    let mut call = held();
    assert_eq!(call.frame(&[Press::Left]), Some(MUTE));
}

#[test]
fn a_call_that_ends_takes_the_key() {
    let mut call = held();
    call.microphone = Microphone::None;
    assert_eq!(call.frame(&[]), None);
    // The next one is not muted.
    call.microphone = Microphone::Open;
    assert_eq!(call.hold_for(1), []);
    assert_eq!(call.frame(&[Press::Up]), None);
}

#[test]
fn whoever_is_muted_otherwise_meanwhile_stays_muted() {
    let mut call = held();
    call.microphone = Microphone::Muted;
    assert_eq!(call.hold_for(2), []);
    assert_eq!(call.frame(&[Press::Up]), None);
}

#[test]
fn a_press_that_is_over_at_once_opens_nothing() {
    let mut call = Call::muted();
    assert_eq!(call.frame(&[Press::Down, Press::Up]), None);
    assert_eq!(call.wait_for(1), []);
}

#[test]
fn whoever_presses_again_before_the_microphone_is_closed_is_heard_again() {
    let mut call = held();
    assert_eq!(call.frame(&[Press::Up]), Some(MUTE));
    // The engine has not done so yet.
    call.microphone = Microphone::Open;
    assert_eq!(call.frame(&[Press::Down]), Some(BEGIN));
    assert_eq!(call.frame(&[Press::Up]), Some(MUTE));
}

#[test]
fn what_a_busy_engine_did_not_take_is_said_again() {
    let mut call = held();
    let look = Look { now: call.now, microphone: Microphone::Open, keyboard: Keyboard::Free };
    call.talking.press(Press::Up, look);
    for _ in 0..3 {
        call.talking.settle(look);
        assert_eq!(call.talking.wish(call.now), Some(MUTE));
    }
}

#[test]
fn whoever_is_heard_anyway_or_types_does_not_talk_with_space() {
    for (microphone, keyboard) in [
        (Microphone::Open, Keyboard::Free),
        (Microphone::None, Keyboard::Free),
        (Microphone::Muted, Keyboard::Taken),
        (Microphone::Muted, Keyboard::Elsewhere),
    ] {
        let mut call = Call { microphone, keyboard, ..Call::muted() };
        assert_eq!(call.frame(&[Press::Down]), None, "{microphone:?} {keyboard:?}");
        assert_eq!(call.hold_for(1), [], "{microphone:?} {keyboard:?}");
    }
}
