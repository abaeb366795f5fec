use super::*;
use clap::CommandFactory;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_line_of_the_contract_parses() {
    for line in [
        "silbo",
        "silbo gui",
        "silbo --lab --profile X --bootstrap 127.0.0.1:1 gui --mic tone:440 --speaker null",
        "silbo supernode --listen 127.0.0.1:0 --relay-listen 127.0.0.1:0 --tcp-listen 0.0.0.0:443 --tcp-listen \
         0.0.0.0:80 --public 1.2.3.4 --max-kbps 500 --max-leaves 6 --drain 0",
        "silbo register bob",
        "silbo lookup bob",
        "silbo online",
        "silbo online --auto-answer all --calls 2 --mic silence --speaker null",
        "silbo online --auto-answer contacts",
        "silbo online --help-others --metered no --upload-kbps 12000 --max-kbps 5000",
        "silbo online --help-others directory,introducer --listen 0.0.0.0:7600 --relay-listen 0.0.0.0:7601",
        "silbo online --help-others none",
        "silbo online --help-hours 22-7",
        "silbo online --help-hours always",
        "silbo online --auto-answer --mic file:a.wav --speaker file:b.wav",
        "silbo call bob --duration 12 --ring-timeout 5 --video --path relay --mic tone:440 --camera pattern",
        "silbo call echo --processing on",
        "silbo gui --camera file:a.y4m --display file:b.y4m",
        "silbo gui --camera screen",
        "silbo gui --camera default",
        "silbo call bob --video --camera device:/dev/video2",
        "silbo doctor",
        "silbo contact add bob",
        "silbo contact list",
        "silbo contact remove bob",
        "silbo contact verify bob",
        "silbo contact block bob",
        "silbo contact unblock bob",
        "silbo request list",
        "silbo request accept bob",
        "silbo request decline bob",
        "silbo history",
        "silbo invite",
        "silbo lock",
        "silbo lock --off --passphrase-file F",
        "silbo lock --change F",
        "silbo lock --state",
        "silbo export FILE",
        "silbo export --force FILE",
        "silbo import FILE",
        "silbo import --words",
        "silbo words",
        "silbo words --check",
        "silbo peer offer --mic tone:440 --wait",
        "silbo peer answer --hold-mic --meta FILE --mic silence --camera pattern",
        "silbo help events",
        "silbo call bob --profile DIR --bootstrap a:1,b:2 --no-mdns --no-mainline --no-portmap --lab --json --log \
         debug --passphrase-file F",
    ] {
        assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err().map(|error| error.to_string()));
    }
}

#[test]
fn auto_answer_without_a_word_means_all() {
    let Some(Verb::Online(online)) = parse("silbo online --auto-answer --calls 1").unwrap().verb else {
        panic!()
    };
    assert_eq!((online.auto_answer, online.calls), (Some(Whom::All), Some(1)));
}

#[test]
fn it_rings_as_long_as_the_call_machine_would_have_it() {
    let Some(Verb::Call(call)) = parse("silbo call bob").unwrap().verb else { panic!() };
    assert_eq!(call.ring_timeout, crate::call::RING_TIMEOUT);
}

#[test]
fn a_call_with_picture_takes_the_first_camera_unless_another_one_is_named() {
    for (line, camera) in [
        ("silbo call bob", "none"),
        ("silbo call bob --video", "default"),
        ("silbo call bob --video --camera pattern", "pattern"),
        ("silbo call bob --camera device:/dev/video2", "device:/dev/video2"),
    ] {
        let Some(Verb::Call(call)) = parse(line).unwrap().verb else { panic!() };
        assert_eq!(call.media().video().source.to_string(), camera, "{line}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "silbo dance",
        "silbo call",
        "silbo call bob --duration 0",
        "silbo call bob --duration -1",
        "silbo call bob --path sideways",
        "silbo call bob --mic trumpet",
        "silbo call bob --camera default:1",
        "silbo call bob --display wall",
        "silbo gui --camera file:",
        "silbo online --calls 0",
        "silbo online --help-others directory,dance",
        "silbo online --help-hours 7-7",
        "silbo online --help-hours at-night",
        "silbo online --upload-kbps 0",
        "silbo online --metered perhaps",
        "silbo supernode --listen nowhere",
        "silbo supernode --max-kbps 0",
        "silbo supernode --max-kbps 5",
        "silbo supernode --max-kbps 18446744073709551615",
        "silbo supernode --max-kbps 2M",
        "silbo supernode --drain -1",
        "silbo peer",
        "silbo peer both",
        "silbo export",
        "silbo import",
        "silbo import FILE --words",
        "silbo lock --off --change F",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn who_is_a_name_a_key_or_echo() {
    assert_eq!(who("Echo"), Ok(Who::Echo));
    assert!(matches!(who("Bob"), Ok(Who::Name(name)) if name.as_str() == "bob"));
    let key = overlay::Identity::from_secret([1; 32]).public_key();
    assert_eq!(who(&key.to_string()), Ok(Who::Key(key)));
    assert!(matches!(who("b"), Err(Reason::Usage(_))));
    assert!(matches!(username("echo"), Err(Reason::Usage(_))));
}

#[test]
fn help_without_a_word_means_every_role() {
    let help = |line| {
        let Some(Verb::Online(online)) = parse(line).unwrap().verb else { panic!() };
        online.help.help_others
    };
    assert_eq!(help("silbo online"), None);
    assert_eq!(help("silbo online --help-others"), Some(Offers::ALL));
    assert_eq!(help("silbo online --help-others none"), Some(Offers::NONE));
    let two = Offers::DIRECTORY.and(Offers::RELAY);
    assert_eq!(help("silbo online --help-others relay,directory"), Some(two));
}
