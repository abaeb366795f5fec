//! Microphones, loudspeakers and cameras that are not there, go, or belong to somebody else.

use crate::{
    harness::{Silbo, World},
    pulse::{Server, toward},
    rights,
    told::told,
};
use app::reason::{Fault, Reason, Remedy};
use media::device::Direction;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

/// A program whose sound goes to the server of this world, which may not run.
fn with_sound(world: &World, words: &[&str]) -> Command {
    toward(world.command("a", words), &world.path("sound"))
}

fn run(command: Command) -> Silbo {
    Silbo::spawn(&mut { command })
}

#[test]
fn without_a_microphone_or_a_loudspeaker_a_call_says_which_and_how_to_go_on() {
    let world = World::empty();
    let echo = |words: &[&str]| {
        run(with_sound(&world, &[&["call", "echo", "--duration", "1"], words].concat())).end()
    };
    let no_microphone = echo(&["--speaker", "null"]).failed("device", 1);
    assert_eq!(no_microphone.event("ended")["by"], "local");
    let why = "this computer has no microphone, or its sound system is not running";
    told(
        no_microphone.event("error"),
        &Reason::Device { why: why.into(), fault: Fault::Missing(Direction::Capture) },
        [
            "This computer has no microphone, or its sound system is not running.",
            "Plug one in and see that the sound system runs, or speak from a file with --mic file:PATH.wav.",
        ],
        [
            "No microphone was found, or the sound system of this computer is not running.",
            "Plug one in, or log out and in again; then try once more.",
        ],
    );
    let why = "this computer has no loudspeaker, or its sound system is not running";
    told(
        echo(&["--mic", "silence"]).failed("device", 1).event("error"),
        &Reason::Device { why: why.into(), fault: Fault::Missing(Direction::Playback) },
        [
            "This computer has no loudspeaker, or its sound system is not running.",
            "Plug one in and see that the sound system runs, or hear nothing with --speaker null.",
        ],
        [
            "No loudspeaker was found, or the sound system of this computer is not running.",
            "Plug one in, or log out and in again; then try once more.",
        ],
    );
    echo(&["--mic", "silence", "--speaker", "null"]).with(0);
    let server = Server::start(&world.path("sound"));
    server.plug_in();
    echo(&[]).with(0);
}

/// Sound of somebody who lives here and has never shown a cookie to a sound server.
fn at_home(home: &Path, command: Command) -> Silbo {
    let mut command = command;
    Silbo::spawn(command.env("HOME", home).env_remove("PULSE_COOKIE"))
}

#[test]
fn a_home_that_has_no_cookie_has_sound_and_one_that_cannot_be_written_is_told() {
    let world = World::empty();
    let server = Server::start(&world.path("sound"));
    server.plug_in();
    let words = ["call", "echo", "--duration", "1"];
    let home = world.path("home");
    fs::create_dir(&home).unwrap();
    at_home(&home, with_sound(&world, &words)).end().with(0);
    // Nobody can make a file in what is no folder, also not the superuser.
    let kept_out = at_home(Path::new("/dev/null"), with_sound(&world, &words)).end().failed("device", 1);
    let why = "the sound system lets in only who has the file /dev/null/.config/pulse/cookie, which cannot be made or read: \
               Not a directory (os error 20)";
    told(
        kept_out.event("error"),
        &Reason::Device { why: why.into(), fault: Fault::KeptOut },
        [
            "The sound system lets in only who has the file /dev/null/.config/pulse/cookie, which cannot be made or read: \
             Not a directory (os error 20).",
            "See that the home folder can be written and the disk is not full, then try once more.",
        ],
        [
            &format!("Silbo cannot use the sound of this computer ({why})."),
            "See that your home folder can be written and the disk is not full, then try once more.",
        ],
    );
}

#[test]
fn an_ordinary_call_logs_no_error_and_who_asks_for_all_of_a_library_gets_it() {
    let world = World::empty();
    let server = Server::start(&world.path("sound"));
    server.plug_in();
    let echo = |log: &[&str]| {
        let ended = run(with_sound(&world, &[&["call", "echo", "--duration", "1"], log].concat())).end();
        ended.with(0).stderr
    };
    for log in [&[][..], &["--log", "debug"]] {
        let logged = echo(log);
        assert!(!logged.contains("ERROR"), "{logged}");
    }
    assert!(echo(&["--log", "pulseaudio=error"]).contains("Client disconnected"), "it is what is left out");
}

#[test]
fn a_microphone_unplugged_in_mid_call_is_told_and_the_call_goes_on() {
    let world = World::empty();
    let server = Server::start(&world.path("sound"));
    let headset = server.plug_in();
    // Were there another one, the sound server would go on with that by itself.
    let words = ["call", "echo", "--mic", "device:headset.monitor", "--speaker", "null"];
    let mut call = run(with_sound(&world, &words));
    call.expect("media_flowing");
    call.tell(r#"{"do":"device","mic":"device:other"}"#);
    let why = "there is no microphone \"other\"; there are: headset.monitor";
    told(
        &call.expect("error"),
        &Reason::Device { why: why.into(), fault: Fault::Refused(Direction::Capture) },
        [
            "There is no microphone \"other\"; there are: headset.monitor.",
            "The call goes on with the one before; choose it again once it works, or another one.",
        ],
        [
            "The microphone you chose does not work here, or another program is using it. You go on with the one before.",
            "Choose it again once it works, or another one.",
        ],
    );
    call.expect("stats");
    server.unplug(&headset);
    gone(&mut call, Direction::Capture);
    call.expect("stats");
    call.expect("stats");
    let headset = server.plug_in();
    assert_eq!(call.expect("device_restored")["device"], "microphone");
    call.expect("stats");
    call.tell(r#"{"do":"hangup"}"#);
    assert_eq!(call.end().with(0).event("ended")["reason"], "hung_up");
    server.unplug(&headset);

    let absent = run(with_sound(&world, &words)).end().failed("device", 1);
    let why = "there is no microphone \"headset.monitor\"";
    told(
        absent.event("error"),
        &Reason::Device { why: why.into(), fault: Fault::Absent(Direction::Capture) },
        [
            "There is no microphone \"headset.monitor\".",
            "Plug it in again and see that the sound system runs, or choose another one with --mic.",
        ],
        [
            "The microphone that was chosen is not there.",
            "Plug it in, or choose another one in the settings.",
        ],
    );
    server.plug_in();
    let words = [&words[..], &["--duration", "1"]].concat();
    run(with_sound(&world, &words)).end().with(0);
}

#[test]
fn a_sound_server_that_dies_in_mid_call_is_told_for_both_ends_and_the_call_goes_on() {
    let world = World::empty();
    let server = Server::start(&world.path("sound"));
    server.plug_in();
    let mut call = run(with_sound(&world, &["call", "echo"]));
    call.expect("media_flowing");
    call.expect("stats");
    server.kill();
    let mut lost = [gone_which(&mut call), gone_which(&mut call)];
    lost.sort_unstable();
    assert_eq!(lost, [Direction::Capture, Direction::Playback]);
    call.expect("stats");
    call.expect("stats");
    call.tell(r#"{"do":"device","speaker":"null"}"#);
    assert_eq!(call.expect("device_restored")["device"], "loudspeaker", "another one was chosen");
    let server = Server::start(&world.path("sound"));
    server.plug_in();
    assert_eq!(call.expect("device_restored")["device"], "microphone");
    call.tell(r#"{"do":"hangup"}"#);
    assert_eq!(call.end().with(0).event("ended")["reason"], "hung_up");
    run(with_sound(&world, &["call", "echo", "--duration", "1"])).end().with(0);
    server.kill();
    let why = "the microphone does not start: I/O error: Connection refused (os error 111)";
    told(
        run(with_sound(&world, &["call", "echo"])).end().failed("device", 1).event("error"),
        &Reason::Device { why: why.into(), fault: Fault::Dead(Direction::Capture) },
        [
            "The microphone does not start: I/O error: Connection refused (os error 111).",
            "Plug it in again and see that the sound system runs, or choose another one with --mic.",
        ],
        ["The microphone does not work.", "Plug it in again, or choose another one."],
    );
}

#[track_caller]
fn gone(call: &mut Silbo, direction: Direction) {
    assert_eq!(gone_which(call), direction);
}

/// Which end is told to be gone, with the right words.
#[track_caller]
fn gone_which(call: &mut Silbo) -> Direction {
    let lost = call.expect("device_lost");
    let message = lost["message"].as_str().unwrap();
    let direction =
        if message.starts_with("The microphone") { Direction::Capture } else { Direction::Playback };
    let option = if direction == Direction::Capture { "--mic" } else { "--speaker" };
    let why = format!("the {direction} stopped working: the sound system stopped it");
    told(
        &lost,
        &Reason::Device { why, fault: Fault::Gone(direction) },
        [
            &format!("The {direction} stopped working: the sound system stopped it."),
            &format!(
                "Plug it in again and see that the sound system runs, or choose another one with {option}."
            ),
        ],
        [
            &format!("The {direction} does not work any more."),
            "Plug it in again and it is used at once, or choose another one.",
        ],
    );
    direction
}

/// Bob answers whoever calls him.
fn bob_answers(world: &World, words: &[&str]) -> Silbo {
    world.run("b", &["register", "bob"]).with(0);
    let answering = ["online", "--auto-answer", "--mic", "silence", "--speaker", "null"];
    let mut bob = world.silbo("b", &[&answering, words].concat());
    bob.expect("registered");
    bob
}

/// Ada calls him with this camera, and is told why she cannot before it rings.
#[track_caller]
fn refused(command: Command, why: &str, remedy: Remedy, next_step: &str, window: [&str; 2]) {
    let ended = Silbo::spawn(&mut { command }).end().failed("camera", 1);
    assert!(!ended.has("ringing"), "{ended:#?}");
    told(
        ended.event("error"),
        &Reason::Camera { why: why.to_owned(), remedy },
        [&format!("The camera cannot be used: {why}."), next_step],
        window,
    );
}

fn calls_bob(world: &World, words: &[&str]) -> Command {
    world.command("a", &[&["call", "bob", "--mic", "silence", "--speaker", "null"], words].concat())
}

/// Without pictures she reaches him.
#[track_caller]
fn talks(world: &World) {
    let ended = Silbo::spawn(&mut calls_bob(world, &["--duration", "1"])).end().with(0);
    assert!(ended.has("media_flowing"), "{ended:#?}");
}

#[test]
fn a_camera_that_is_not_there_is_told_before_anybody_rings_and_without_it_the_call_is_made() {
    let world = World::new();
    let _bob = bob_answers(&world, &[]);
    let connect = "Connect one, or send a file of pictures with --camera file:PATH.y4m.";
    if !has_camera() {
        for words in [&["--video"][..], &["--camera", "default"]] {
            refused(
                calls_bob(&world, words),
                "no camera was found on this computer",
                Remedy::Connect,
                connect,
                ["No camera was found.", "Plug one in, then start video."],
            );
        }
    }
    let other = "Choose another one with --camera device:PATH (`ls /dev/video*` lists them).";
    for (path, why) in
        [("/dev/absent", "there is no camera /dev/absent"), ("/dev/null", "/dev/null is not a camera")]
    {
        refused(
            calls_bob(&world, &["--camera", &format!("device:{path}")]),
            why,
            Remedy::ChooseOther,
            other,
            [&format!("The camera cannot be used ({why})."), "Plug in another one, then start video."],
        );
    }
    talks(&world);
}

#[test]
fn a_camera_that_the_system_keeps_from_us_is_told_with_whom_to_ask() {
    let world = World::new();
    let _bob = bob_answers(&world, &[]);
    let camera = world.path("video0");
    fs::write(&camera, "").unwrap();
    fs::set_permissions(&camera, fs::Permissions::from_mode(0o000)).unwrap();
    let calls = calls_bob(&world, &["--camera", &format!("device:{}", camera.display())]);
    refused(
        rights::without("-dac_override,-dac_read_search", calls),
        &format!("the system does not let this program use the camera {}", camera.display()),
        Remedy::JoinGroup,
        "Ask for the group `video` (`sudo usermod -aG video $USER`), then log out and in again.",
        [
            "The system does not let Silbo use the camera.",
            "Ask whoever looks after this computer for the group “video”, then log out and in again.",
        ],
    );
    talks(&world);
}

#[test]
fn a_camera_of_another_program_is_told_to_be_busy() {
    if !rights::has("strace") {
        return eprintln!("NOT RUN: without strace the kernel cannot be made to say that a camera is busy");
    }
    let world = World::new();
    let _bob = bob_answers(&world, &[]);
    let camera = world.path("video0");
    fs::write(&camera, "").unwrap();
    let calls = calls_bob(&world, &["--camera", &format!("device:{}", camera.display())]);
    // What the kernel says of a camera that another program has.
    let mut busy = Command::new("strace");
    busy.args(["-f", "-qq", "-o", "/dev/null", "-P"]).arg(&camera);
    busy.args(["--trace=openat", "--inject=openat:error=EBUSY"]).arg(calls.get_program());
    refused(
        rights::within(busy, &calls),
        &format!("the camera {} is used by another program", camera.display()),
        Remedy::CloseOther,
        "Close the other program, or choose another camera with --camera device:PATH.",
        ["Another program is using the camera.", "Close the other program, then start video."],
    );
    talks(&world);
}

/// Whether this computer may have one.
fn has_camera() -> bool {
    (0..64).any(|number| Path::new(&format!("/dev/video{number}")).exists())
}
