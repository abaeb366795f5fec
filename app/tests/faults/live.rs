//! Faults met at the window itself: it is drawn on an engine that runs, behind the gate of the profile, and pressed and
//! read by labels; nothing between a fault and what stands on the screen is put there by the test.

use crate::{
    harness::{PATIENCE, World},
    pulse::{Server, toward},
};
use app::{
    engine::{
        self, AutoAnswer, Config, OwnName, Portmap,
        gate::{Door, Gate, GateView, Opened},
        helping::Helping,
        view::View,
    },
    storage::{Lock, Profile, Storage},
    ui::{Front, Locale},
};
use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::{Harness, kittest::Queryable};
use media::{
    device::{AudioSink, AudioSource},
    process::Processing,
    session::PathPolicy,
    video::driver::VideoConfig,
    voice::driver::VoiceConfig,
};
use overlay::{
    Network,
    driver::{Mainline, Mdns, RoleWish},
};
use std::{path::PathBuf, process::Command, rc::Rc, sync::Arc, time::Instant};
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
    time::timeout,
};

/// A window, and what it is drawn on.
struct Live {
    harness: Harness<'static, Front>,
    gate: watch::Receiver<Arc<GateView>>,
    view: Option<watch::Receiver<Arc<View>>>,
    runtime: Runtime,
}

/// What `silbo gui` is made with in a network of one machine, without sound devices.
fn config(bootstrap: &[&str]) -> Config {
    Config {
        network: Network::Lab,
        listen: None,
        role: RoleWish::Leaf,
        helping: Helping::Never,
        bootstrap: bootstrap.iter().map(|at| (*at).to_owned()).collect(),
        mdns: Mdns::Off,
        mainline: Mainline::Off,
        portmap: Portmap::Off,
        voice: VoiceConfig {
            source: "silence".parse().unwrap(),
            sink: "null".parse().unwrap(),
            processing: Processing::Off,
            frames: media::voice::Frames::default(),
            trace: None,
        },
        video: VideoConfig::default(),
        auto_answer: AutoAnswer::Nobody,
        ring_timeout: app::call::RING_TIMEOUT,
        path: PathPolicy::Any,
        own_name: OwnName::Renew,
        greeting: None,
    }
}

/// What `silbo gui` does behind the window: an engine runs, once somebody has opened the key.
async fn keep(mut gate: Gate, folder: PathBuf, mut config: Config) {
    let opened = if Lock::of(&folder).unwrap() == Some(Lock::Sealed) {
        let (opened, greeting) = gate.opened().await.unwrap();
        config.greeting = greeting;
        opened
    } else {
        let profile = Profile::take(&folder).unwrap();
        let (identity, _) = profile.identity(rand::random(), None).unwrap();
        let storage = Storage::open(&folder, relay::driver::now().unix).unwrap();
        Opened { profile, storage, identity }
    };
    let Opened { profile, storage, identity } = opened;
    let (engine, mut events, _running) = engine::start(config, profile, storage, identity).await.unwrap();
    gate.show(engine);
    while events.recv().await.is_some() {}
}

impl Live {
    fn open(world: &World, profile: &str, config: Config) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let folder = world.path(profile);
        let (gate, handle) = Gate::new(folder.clone(), &config.voice);
        let view = handle.view.clone();
        runtime.spawn(keep(gate, folder, config));
        let builder = Harness::builder().with_size(egui::vec2(1000.0, 640.0)).with_max_steps(30);
        let clock = Rc::new(Instant::now);
        let harness =
            builder.build_eframe(move |cc| Front::new(&cc.egui_ctx, handle, None, Locale::English, clock));
        Self { harness, gate: view, view: None, runtime }
    }

    /// Waits until this stands on the screen, to the letter.
    #[track_caller]
    fn until(&mut self, said: &str) {
        self.wait(|window| window.says(said), said);
    }

    #[track_caller]
    fn wait(&mut self, holds: impl Fn(&Self) -> bool, said: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            self.harness.run();
            if holds(self) {
                return;
            }
            if let (None, Door::Open(engine)) = (&self.view, &self.gate.borrow().door) {
                self.view = Some(engine.view.clone());
            }
            let changed = async {
                match &mut self.view {
                    None => self.gate.changed().await,
                    Some(view) => tokio::select! {
                        changed = self.gate.changed() => changed,
                        changed = view.changed() => changed,
                    },
                }
            };
            let left = end.saturating_duration_since(Instant::now());
            let changed = self.runtime.block_on(async { timeout(left, changed).await });
            assert!(
                matches!(changed, Ok(Ok(()))),
                "about {said:?} it stays at {:#?}",
                crate::window::read(&self.harness)
            );
        }
    }

    /// Waits until this stands there no more.
    #[track_caller]
    fn until_not(&mut self, said: &str) {
        self.wait(|window| !window.says(said), said);
    }

    fn says(&self, label: &str) -> bool {
        self.harness.query_all_by_label(label).next().is_some()
    }

    fn click(&mut self, button: &str) {
        self.harness.get_by_role_and_label(Role::Button, button).scroll_to_me();
        self.harness.run();
        self.harness.get_by_role_and_label(Role::Button, button).click();
        self.harness.run();
    }

    fn type_into(&mut self, role: Role, field: &str, text: &str) {
        self.harness.get_by_role_and_label(role, field).focus();
        self.harness.run();
        self.harness.get_by_role_and_label(role, field).type_text(text);
        self.harness.run();
    }

    /// Looks somebody up, or takes an invite.
    fn find(&mut self, what: &str) {
        if self.says("Clear search") {
            self.click("Clear search");
        }
        self.type_into(Role::TextInput, "Find or add a person", what);
        self.harness.key_press_modifiers(Modifiers::NONE, Key::Enter);
        self.harness.run();
    }
}

#[test]
fn a_taken_name_is_told_under_the_field_and_another_one_is_had() {
    let world = World::new();
    world.run("b", &["register", "bob"]).with(0);
    let mut window = Live::open(&world, "a", config(&[world.bootstrap()]));
    window.until("Choose your name");
    window.type_into(Role::TextInput, "Your name", "bob");
    window.click("Claim this name");
    window.until("Somebody else already has this name. Try another one.");
    // What was refused is typed over.
    window.type_into(Role::TextInput, "Your name", "bobette");
    window.click("Claim this name");
    window.until("You are bobette");
}

#[test]
fn who_is_not_found_not_invited_or_not_there_is_told_apart() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    let link = world.run("b", &["invite"]).with(0).event("invite")["link"].as_str().unwrap().to_owned();
    let mut window = Live::open(&world, "a", config(&[world.bootstrap()]));
    window.until("Reachable");
    window.find("bob");
    window.until("Nobody is called bob");
    assert!(window.says("Check the spelling, or ask your friend whether they were online yet."));
    window.find(&link[..link.len() - 3]);
    window.until("This invite does not work");
    assert!(window.says(
        "This invite is not complete, or a character of it is wrong. Copy the link once more, all of it."
    ));
    world.run("b", &["register", "bob"]).with(0);
    window.find("bob");
    window.until("bob was found");
    window.click("Add to contacts");
    window.until("Call bob");
    window.click("Call bob");
    window.until("They are not online.");
    assert!(window.says("They will see that you called when they are back; or try again later."));
}

#[test]
fn a_microphone_that_is_not_there_is_told_where_the_call_was() {
    let world = World::empty();
    world.run("a", &["history"]).with(0);
    let mut config = config(&[]);
    config.voice.source = "device:nowhere".parse().unwrap();
    let mut window = Live::open(&world, "a", config);
    window.until("Later");
    for next in ["Later", "Continue", "Continue", "Continue to contacts", "Call Echo"] {
        window.until(next);
        window.click(next);
    }
    window.until("The microphone that was chosen is not there.");
    assert!(window.says("Plug it in, or choose another one in the settings."));
}

#[test]
fn what_does_not_work_in_a_call_is_said_there_until_it_works_again() {
    let name = "live::what_does_not_work_in_a_call_is_said_there_until_it_works_again";
    let Some(folder) = std::env::var_os(SOUND).map(PathBuf::from) else {
        // Where sound goes is for a whole process to say.
        let world = World::empty();
        let folder = world.path("sound");
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.args([name, "--exact", "--nocapture"]).env(SOUND, &folder);
        return assert!(toward(process, &folder).status().unwrap().success());
    };
    let server = Server::start(&folder);
    server.plug_in();
    let world = World::empty();
    world.run("a", &["history"]).with(0);
    let mut config = config(&[]);
    (config.voice.source, config.voice.sink) = (AudioSource::Default, AudioSink::Default);
    let mut window = Live::open(&world, "a", config);
    for next in ["Later", "Continue", "Continue", "Continue to contacts", "Call Echo"] {
        window.until(next);
        window.click(next);
    }
    window.until("Say something: you hear it again two seconds later.");
    server.kill();
    let said = ["Your microphone does not work any more", "Your loudspeaker does not work any more"];
    said.into_iter().for_each(|said| window.until(said));
    assert!(!window.says("Dismiss: The microphone does not work any more."), "nothing has to be put away");
    let server = Server::start(&folder);
    server.plug_in();
    said.into_iter().for_each(|said| window.until_not(said));
    window.click("Hang up");
    window.until("The call is over.");
}

/// Names the folder of the sound server to a process of its own.
const SOUND: &str = "SILBO_FAULTS_SOUND";

#[test]
fn a_wrong_passphrase_is_told_and_the_right_one_opens() {
    let world = World::empty();
    std::fs::write(world.path("phrase"), "five words that nobody guesses\n").unwrap();
    world.run("a", &["history", "--passphrase-file", "phrase"]).with(0);
    let mut window = Live::open(&world, "a", config(&[]));
    window.until("Your key is locked");
    window.type_into(Role::PasswordInput, "Passphrase", "another five words of mine");
    window.click("Open");
    window.until("This passphrase does not open it. Try again: capitals and spaces count.");
    window.type_into(Role::PasswordInput, "Passphrase", "five words that nobody guesses");
    window.click("Open");
    window.until("Choose your name");
}

#[test]
fn who_asks_whether_people_can_call_is_told_of_no_network_and_of_one_without_udp() {
    let mut without_udp = World::empty();
    without_udp.start_supernode_with_tcp("supernode");
    let at = without_udp.bootstrap().to_owned();
    for (bootstrap, title, why, next_step) in [
        (
            &[at.as_str()][..],
            "People can call you, but the sound may stutter",
            "Your network holds calls back, so they go a slower way through a helper, and the sound may stutter.",
            "Use another network, or give the report to whoever looks after this one.",
        ),
        (
            &[],
            "Nobody can call you at the moment",
            "No computer of the network is known.",
            "Ask a friend for an invite and paste it into “Find or add a person”.",
        ),
    ] {
        let world = World::empty();
        world.run("a", &["history"]).with(0);
        let mut window = Live::open(&world, "a", config(bootstrap));
        for next in ["Later", "Continue"] {
            window.until(next);
            window.click(next);
        }
        window.until(title);
        for said in [why, next_step] {
            assert!(window.says(said), "{said}");
        }
    }
}
