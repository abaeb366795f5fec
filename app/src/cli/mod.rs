//! The command line: everything the window can do, without a window.
//!
//! [`args`] says what may be written; `serve` runs the commands that need the network, `lists` those that only read
//! and change the profile; `attach` has them run by whoever owns the profile already; `log` is for standard error;
//! `custody` keeps the key, with a `passphrase`; `peer` is a bare WebRTC endpoint; `status` and `metrics` are a supernode's figures; `stop` hears what asks it to end; `print` puts events on standard output, `inbox` reads lines, and commands, from standard input.

pub mod args;
mod attach;
#[cfg(feature = "ui")]
mod background;
mod custody;
mod inbox;
mod lists;
mod log;
mod metrics;
mod passphrase;
mod peer;
mod print;
mod serve;
mod status;
mod stop;

use crate::{
    engine::{AutoAnswer, Config, OwnName, Portmap, errand::Errand, gate::Opened, helping::Helping},
    reason::Reason,
    storage::{IdentityOrigin, Lock, Overwrite, Profile, Storage},
};
use args::{Cli, Global, Gui, Media, Verb, Whom};
use clap::{CommandFactory, Parser, error::ErrorKind};
use overlay::{
    Network,
    driver::{Mainline, Mdns, RoleWish},
};
use print::{Format, Printer};
use std::{path::PathBuf, process::ExitCode};

/// Runs the program; the exit status is the contract's.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused_by_the_parser(&error),
    };
    let printer = Printer::new(if cli.global.json { Format::Json } else { Format::Text });
    let status = run(&cli, &printer).unwrap_or_else(|reason| {
        printer.error(&reason);
        reason.exit_status()
    });
    ExitCode::from(status)
}

fn run(cli: &Cli, printer: &Printer) -> Result<u8, Reason> {
    log::to_stderr(&cli.global.log)?;
    match &cli.verb {
        None => gui(&cli.global, &Gui::default(), printer),
        Some(Verb::Gui(arguments)) => gui(&cli.global, arguments, printer),
        Some(Verb::Help { topic }) => help(topic.as_deref()),
        Some(Verb::Online(online)) => serve::online(cli, online, printer),
        Some(Verb::Call(call)) => serve::call(cli, call, printer),
        Some(Verb::Peer(arguments)) => peer::peer(cli.global.lab, arguments),
        Some(Verb::Export { file, force }) => {
            let overwrite = if *force { Overwrite::Yes } else { Overwrite::Never };
            custody::export(cli, file, overwrite, printer)
        }
        Some(Verb::Import { file, .. }) => custody::import(cli, file.as_deref(), printer),
        Some(Verb::Words { check }) => custody::words(cli, *check, printer),
        Some(Verb::Lock(arguments)) => custody::lock(cli, arguments, printer),
        Some(Verb::Supernode(supernode)) => serve::supernode(cli, supernode, printer),
        Some(verb) => match lists::errand(Some(verb), network(&cli.global))? {
            Some(errand) => run_errand(cli, errand, printer),
            // All others are above.
            None => Err(Reason::NotBuilt("This command".into())),
        },
    }
}

/// Runs an errand on our own, or has whoever owns the profile run it.
fn run_errand(cli: &Cli, errand: Errand, printer: &Printer) -> Result<u8, Reason> {
    let opened = match attach::open_or_ask(&cli.global, printer)? {
        attach::Turn::Ours(opened) => *opened,
        attach::Turn::Answered(status) => return Ok(status),
    };
    match errand {
        Errand::Kept(kept) => lists::kept(opened, &kept, printer),
        Errand::Diagnose => serve::doctor(cli, opened, printer),
        Errand::Lookup(name) => serve::lookup(cli, opened, &name, printer),
        Errand::Add(name) => serve::add(cli, opened, name, printer),
        Errand::Register(name) => serve::register(cli, opened, &name, printer),
        // The window is opened where it is written.
        Errand::Show(_) => Err(Reason::NotBuilt("This command".into())),
    }
}

/// Takes and opens the profile the command line names, or the person's own.
fn open(global: &Global) -> Result<Opened, Reason> {
    let folder = folder(global)?;
    let profile = Profile::take(&folder)?;
    let passphrase = passphrase::given(global)?;
    let (identity, origin) = profile.identity(rand::random(), passphrase.as_ref())?;
    // Said once: the next start finds the key.
    let folder = folder.display();
    let said = match origin {
        IdentityOrigin::Found => None,
        IdentityOrigin::Made(Lock::Open) => {
            Some(format!("A new key was made. It is kept unsealed in {folder}, readable by you only."))
        }
        IdentityOrigin::Made(Lock::Sealed) => Some(format!(
            "A new key was made. It is kept in {folder}, sealed with your passphrase: each start needs it."
        )),
        IdentityOrigin::Sealed => {
            Some(format!("The key in {folder} is sealed with your passphrase now: each start needs it."))
        }
    };
    if let Some(said) = said {
        print::complaint(&said);
    }
    let storage = Storage::open(profile.folder(), relay::driver::now().unix)?;
    Ok(Opened { profile, storage, identity })
}

fn folder(global: &Global) -> Result<PathBuf, Reason> {
    if let Some(folder) = &global.profile {
        return Ok(folder.clone());
    }
    let own = directories::ProjectDirs::from("", "", "silbo").map(|own| own.data_local_dir().to_owned());
    own.ok_or_else(|| Reason::ProfileUnreadable {
        path: "(default)".into(),
        why: "this system names no home folder; give --profile DIR".into(),
    })
}

fn network(global: &Global) -> Network {
    if global.lab { Network::Lab } else { Network::Main }
}

/// An engine as the global options want it: a leaf that answers nobody.
fn config(global: &Global, media: &Media) -> Config {
    Config {
        network: network(global),
        listen: None,
        role: RoleWish::Leaf,
        helping: Helping::Never,
        bootstrap: global.bootstrap.clone(),
        mdns: if global.no_mdns { Mdns::Off } else { Mdns::On },
        // Nodes of test networks have no business in a public one.
        mainline: if global.no_mainline || global.lab { Mainline::Off } else { Mainline::Public },
        portmap: if global.no_portmap { Portmap::Off } else { Portmap::On },
        voice: media.voice(),
        video: media.video(),
        auto_answer: AutoAnswer::Nobody,
        ring_timeout: crate::call::RING_TIMEOUT,
        path: media::session::PathPolicy::Any,
        own_name: OwnName::Leave,
        greeting: None,
    }
}

impl From<Option<Whom>> for AutoAnswer {
    fn from(whom: Option<Whom>) -> Self {
        match whom {
            None => Self::Nobody,
            Some(Whom::Contacts) => Self::Contacts,
            Some(Whom::All) => Self::All,
        }
    }
}

#[cfg(feature = "ui")]
fn gui(global: &Global, arguments: &Gui, printer: &Printer) -> Result<u8, Reason> {
    use crate::{
        engine::{command::Command, gate::Door},
        reason::Custody,
        ui::{Locale, UiError, WindowConfig},
    };
    use background::{Begin, Wishes};
    use std::path::Path;

    serve::check_files(&arguments.media)?;
    let helping = Helping::AsAgreed { relay_listen: None };
    let mut config = Config { own_name: OwnName::Renew, helping, ..config(global, &arguments.media) };
    let begin = match attach::open_or_ask(global, printer) {
        Ok(attach::Turn::Ours(opened)) => Begin::Opened(opened),
        // There is a window already, and it has come up.
        Ok(attach::Turn::Answered(status)) => return Ok(status),
        // Somebody who clicked an icon reads no terminal: go on with an empty database, and say so in the window.
        Err(reason @ Reason::DatabaseDamaged { .. }) => {
            config.greeting = Some(reason);
            Begin::Opened(Box::new(open(global)?))
        }
        // Nor do they type there: the window asks.
        Err(Reason::Custody(Custody::Sealed(_))) => Begin::Sealed(folder(global)?),
        Err(other) => return Err(other),
    };
    let wishes = Wishes { config, link: arguments.link.clone(), printer: global.json.then_some(*printer) };
    let (gate, engine) = background::start(begin, wishes)?;
    let name =
        global.profile.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let window = WindowConfig {
        profile: name,
        system: Locale::of_system(),
        autostart: autostart(global),
        ..WindowConfig::default()
    };
    let view = gate.view.clone();
    let shown = crate::ui::run(gate, window);
    let door = view.borrow().door.clone();
    if let Door::Open(running) = door {
        // An engine that is gone already has stopped by itself.
        let _ = running.commands.blocking_send(Command::Quit);
    }
    if engine.join().is_err() {
        tracing::error!("the engine's thread stopped in an unplanned way");
    }
    shown.map(|()| 0).map_err(|UiError::Window(why)| Reason::Window(why))
}

/// What would start this profile at login.
#[cfg(feature = "ui")]
fn autostart(global: &Global) -> Option<crate::desktop::AutostartEntry> {
    let program = std::env::current_exe().ok()?;
    let profile = match &global.profile {
        Some(profile) => Some(std::path::absolute(profile).ok()?),
        None => None,
    };
    let folders = directories::BaseDirs::new()?;
    Some(crate::desktop::AutostartEntry::new(folders.config_dir(), program, profile))
}

#[cfg(not(feature = "ui"))]
fn gui(_: &Global, _: &Gui, _: &Printer) -> Result<u8, Reason> {
    Err(Reason::NotBuilt("The window (this program was compiled without it)".into()))
}

fn help(topic: Option<&str>) -> Result<u8, Reason> {
    let mut command = Cli::command();
    command.build();
    let text = match topic {
        None => command.render_long_help().to_string(),
        Some("events") => print::events_help(),
        Some(topic) => match command.find_subcommand_mut(topic) {
            Some(verb) => verb.render_long_help().to_string(),
            None => return Err(Reason::Usage(format!("There is no command \"{topic}\"."))),
        },
    };
    print::line(&text);
    Ok(0)
}

fn refused_by_the_parser(error: &clap::Error) -> ExitCode {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    // Nothing can be done about a closed terminal.
    let _ = error.print();
    if asked_for {
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Printer::new(Format::Json).error(&Reason::Usage(first.to_owned()));
    }
    ExitCode::from(2)
}
