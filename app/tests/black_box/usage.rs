//! What is written wrongly, not built yet, or impossible gets a sentence and the contract's exit status.

use crate::harness::{Silbo, World};
use std::{fs, process::Command};

#[test]
fn what_makes_no_sense_ends_with_usage() {
    let world = World::empty();
    for words in [
        &["dance"][..],
        &["call"],
        &["call", "bob", "--mic", "trumpet"],
        &["call", "x"],
        &["register", "echo"],
        &["supernode", "--metrics", "0.0.0.0:9464"],
        &["online", "--auto-answer", "some"],
        &["online", "--help-others", "directory,dance"],
        &["supernode", "--max-kbps", "0"],
        &["supernode", "--max-kbps", "99999999999"],
        &["--log", "=loud=", "history"],
        &["help", "dance"],
    ] {
        let ended = world.run("a", words).failed("usage", 2);
        assert!(ended.events.len() == 1, "{words:?}: {ended:?}");
    }
}

#[test]
fn help_is_no_failure_and_lists_every_event() {
    let silbo =
        |words: &[&str]| Silbo::spawn(Command::new(env!("CARGO_BIN_EXE_silbo")).args(words)).end().with(0);
    for words in [&["--help"][..], &["--version"], &["help"], &["help", "call"], &["call", "--help"]] {
        assert!(!silbo(words).events.is_empty(), "{words:?}");
    }
    let text: Vec<_> = silbo(&["help", "events"]).events.iter().map(|line| line.to_string()).collect();
    let text = text.join("\n");
    for word in
        ["media_flowing", "lab_credential", "receipt", "no_such_name", "profile_locked", "not_answered"]
    {
        assert!(text.contains(word), "{word}");
    }
}

#[test]
fn sound_files_that_cannot_be_used_are_told_before_anybody_is_called() {
    let world = World::empty();
    let folder = format!("file:{}", world.path("").display());
    for words in [
        &["call", "bob", "--mic", "file:missing.wav", "--speaker", "null"][..],
        &["call", "bob", "--mic", &folder, "--speaker", "null"],
        &["online", "--mic", "silence", "--speaker", "file:missing/out.wav"],
        &["gui", "--mic", "file:missing.wav"],
    ] {
        let ended = world.run("a", words).failed("device", 1);
        assert!(!ended.has("calling"));
    }
}

#[test]
fn a_sound_file_that_is_no_wav_ends_the_call_with_a_sentence() {
    let world = World::empty();
    fs::write(world.path("text.wav"), "this is not sound").unwrap();
    let words = ["call", "echo", "--mic", "file:text.wav", "--speaker", "null"];
    let ended = world.run("a", &words).failed("device", 1);
    assert_eq!(ended.event("ended")["reason"], "device");
}

#[test]
fn a_person_reads_sentences_instead_of_json() {
    let world = World::empty();
    let mut command = Command::new(env!("CARGO_BIN_EXE_silbo"));
    let ended =
        Silbo::spawn(command.arg("--profile").arg(world.path("a")).args(["contact", "remove", "bob"]))
            .end()
            .with(3);
    assert!(ended.events.is_empty());
    assert!(ended.stderr.contains("\"bob\" is not in the list."), "{}", ended.stderr);
}
