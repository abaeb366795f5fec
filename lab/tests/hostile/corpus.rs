//! Replays the committed corpus (`fuzz/corpus/TARGET/*`), today's seeds, and mutations of both, through every target.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use relay::fuzz::{PER_BYTE, Target};

use crate::{memory::most_during, mutate::Mutations};

/// Mutations of each target; libFuzzer does the millions (`make lab`).
const MUTATIONS: usize = 2_000;

/// What the corpus may weigh in the repository.
const HEAVIEST: u64 = 1_000_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn all() -> impl Iterator<Item = &'static Target> {
    let of_media = media::session::fuzz::TARGETS.iter().chain(media::video::fuzz::TARGETS);
    let of_app = app::fuzz::TARGETS.iter().chain(of_media);
    relay::fuzz::TARGETS.iter().chain(overlay::fuzz::TARGETS).chain(of_app)
}

fn committed(target: &Target) -> Vec<Vec<u8>> {
    let folder = folder().join("corpus").join(target.name);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn check(target: &Target, input: &[u8]) {
    let mut most = 0;
    let whole = catch_unwind(AssertUnwindSafe(|| most = most_during(|| (target.check)(input))));
    assert!(whole.is_ok(), "{} panics on {}", target.name, hex(input));
    let allowed = target.memory + PER_BYTE * input.len();
    assert!(most <= allowed, "{} holds {most} bytes, {allowed} are allowed, for {}", target.name, hex(input));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn replay(targets: &[Target]) {
    for target in targets {
        let inputs = [committed(target), (target.seeds)()].concat();
        inputs.iter().for_each(|input| check(target, input));
        let seed = std::array::from_fn(|at| target.name.as_bytes().get(at).copied().unwrap_or(7));
        Mutations::of(&inputs, seed).take(MUTATIONS).for_each(|input| check(target, &input));
    }
}

#[test]
fn relay_stands_bad_bytes() {
    replay(relay::fuzz::TARGETS);
}

#[test]
fn overlay_stands_bad_bytes() {
    replay(overlay::fuzz::TARGETS);
}

#[test]
fn media_stands_bad_bytes() {
    replay(media::session::fuzz::TARGETS);
    replay(media::video::fuzz::TARGETS);
}

#[test]
fn app_stands_bad_bytes() {
    replay(app::fuzz::TARGETS);
}

#[test]
fn every_target_has_its_fuzzer_and_a_light_corpus() {
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let mut weight = 0;
    for target in all() {
        let source = folder().join("fuzz_targets").join(format!("{}.rs", target.name));
        assert!(source.exists(), "{} is missing", source.display());
        assert!(manifest.contains(&format!("\nname = \"{}\"\n", target.name)), "no [[bin]] {}", target.name);
        weight += committed(target).iter().map(|input| input.len() as u64).sum::<u64>();
    }
    assert!(weight < HEAVIEST, "the corpus weighs {weight} bytes");
}

/// Not a test: `cargo test -p lab --test hostile -- --ignored write_seeds` writes today's seeds, fuzzers and manifest
/// entries after a target or a record has changed.
#[test]
#[ignore = "writes into fuzz/"]
fn write_seeds() {
    let manifest = folder().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let mut text =
        text.split_once("\n[[bin]]").map_or(text.clone(), |(head, _)| format!("{}\n", head.trim_end()));
    for target in all() {
        let name = target.name;
        let folder_of_target = folder().join("corpus").join(name);
        fs::create_dir_all(&folder_of_target).unwrap();
        for old in fs::read_dir(&folder_of_target).unwrap().map(|entry| entry.unwrap().path()) {
            if old.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-")) {
                fs::remove_file(old).unwrap();
            }
        }
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(folder_of_target.join(format!("seed-{number:02}")), seed).unwrap();
        }
        let fuzzer = format!(
            "#![no_main]\nlibfuzzer_sys::fuzz_target!(|input: &[u8]| silbo_fuzz::check(\"{name}\", input));\n"
        );
        fs::write(folder().join("fuzz_targets").join(format!("{name}.rs")), fuzzer).unwrap();
        text += &format!(
            "\n[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\ntest = false\ndoc = false\nbench = false\n"
        );
    }
    fs::write(manifest, text).unwrap();
}
