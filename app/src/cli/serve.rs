//! Commands that need a running engine: they start one, give it a command, and print what it reports until the
//! command has its answer.

use super::{
    Opened,
    args::{self, Cli, Media, who},
    attach, config, inbox,
    metrics::Metrics,
    open,
    print::Printer,
    status,
    stop::Stop,
};
use crate::{
    engine::{
        self, Config, EngineHandle, OwnName,
        command::Command,
        command::Who,
        errand::Desk,
        errand::Errand,
        event::EventBody,
        helping::{Agreed, Helping},
        invites,
    },
    reason::{Fault, Reason},
    storage::Storage,
};
use media::device::{AudioSink, AudioSource};
use overlay::{
    Username,
    driver::{RoleWish, Serving},
    hint::INVITE_SCHEME,
    volunteer::Metering,
};
use std::{
    fs, future,
    io::{self, IsTerminal as _},
    path::Path,
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
    task::JoinSet,
    time::sleep_until,
};

/// What a command waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// The name is claimed.
    Registered,
    /// The lookup is back.
    LookedUp,
    /// The contact is there.
    Added,
    /// The call is over; it hangs up after so much sound.
    CallEnded { duration: Option<Duration> },
    /// The same, once there is sound: nothing that is refused ends it any more.
    HungUp,
    /// So many calls are over, or for ever; told to end, it first lets those whom it relays end, for so long.
    Calls { left: Option<u64>, drain: Duration },
}

/// Whether it was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    No,
    Asked,
}

/// Whether commands are read from standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stdin {
    Read,
    Ignored,
}

/// `silbo register NAME`
pub(super) fn register(cli: &Cli, opened: Opened, name: &Username, printer: &Printer) -> Result<u8, Reason> {
    let config = config(&cli.global, &Media::default());
    run(
        config,
        opened,
        Some(Command::ClaimName(name.to_string())),
        Until::Registered,
        Stdin::Ignored,
        printer,
    )
}

/// `silbo lookup NAME`
pub(super) fn lookup(cli: &Cli, opened: Opened, name: &Username, printer: &Printer) -> Result<u8, Reason> {
    let config = config(&cli.global, &Media::default());
    run(config, opened, Some(Command::Search(name.to_string())), Until::LookedUp, Stdin::Ignored, printer)
}

/// `silbo contact add NAME`
pub(super) fn add(cli: &Cli, opened: Opened, name: Username, printer: &Printer) -> Result<u8, Reason> {
    let config = config(&cli.global, &Media::default());
    run(config, opened, Some(Command::Add(Who::Name(name))), Until::Added, Stdin::Ignored, printer)
}

/// `silbo online`
pub(super) fn online(cli: &Cli, online: &args::Online, printer: &Printer) -> Result<u8, Reason> {
    check_files(&online.media)?;
    let help = &online.help;
    let config = Config {
        auto_answer: online.auto_answer.into(),
        own_name: OwnName::Renew,
        listen: help.listen,
        helping: Helping::AsAgreed { relay_listen: help.relay_listen },
        ..config(&cli.global, &online.media)
    };
    let mut opened = open(&cli.global)?;
    agree(help, &mut opened.storage)?;
    let until = Until::Calls { left: online.calls, drain: VOLUNTEERS_DRAIN };
    run(config, opened, None, until, Stdin::Read, printer)
}

/// How long a volunteer that is told to end waits for those it relays.
const VOLUNTEERS_DRAIN: Duration = Duration::from_secs(60);

/// Keeps in the profile what was said about helping others.
fn agree(help: &args::Help, storage: &mut Storage) -> Result<(), Reason> {
    let before = Agreed::read(storage)?;
    let agreed = Agreed {
        roles: help.help_others.unwrap_or(before.roles),
        metering: match help.metered {
            Some(args::YesNo::Yes) => Metering::Metered,
            Some(args::YesNo::No) => Metering::Unmetered,
            None => before.metering,
        },
        hours: help.help_hours.unwrap_or(before.hours),
        upload_kbps: help.upload_kbps.or(before.upload_kbps),
        max_kbps: help.max_kbps.map(args::Kbps::kbps).or(before.max_kbps),
    };
    if agreed != before {
        agreed.keep(storage)?;
    }
    Ok(())
}

/// `silbo call WHO`
pub(super) fn call(cli: &Cli, call: &args::Call, printer: &Printer) -> Result<u8, Reason> {
    let media = call.media();
    check_files(&media)?;
    let config =
        Config { ring_timeout: call.ring_timeout, path: call.path.into(), ..config(&cli.global, &media) };
    let until = Until::CallEnded { duration: call.duration };
    let (who, opened) = if call.who.trim().starts_with(INVITE_SCHEME) {
        let invite = invites::read(&call.who, config.network)?;
        let mut opened = open(&cli.global)?;
        let (own, now) = (opened.identity.public_key(), relay::driver::now().unix);
        printer.body(invites::accept(&invite, &mut opened.storage, own, now)?);
        (Who::Key(invite.identity()), opened)
    } else {
        (who(&call.who)?, open(&cli.global)?)
    };
    run(config, opened, Some(Command::Dial(who)), until, Stdin::Read, printer)
}

/// `silbo supernode`
pub(super) fn supernode(cli: &Cli, supernode: &args::Supernode, printer: &Printer) -> Result<u8, Reason> {
    let config = Config {
        listen: supernode.listen,
        role: RoleWish::Supernode(Serving {
            relay_listen: supernode.relay_listen,
            tcp_listen: supernode.tcp_listen.clone(),
            public_ip: supernode.public,
            max_leaves: supernode.max_leaves,
            relay_rate: supernode.max_kbps.map(args::Kbps::rate),
        }),
        ..config(&cli.global, &Media::default())
    };
    let aside = Aside {
        metrics: Metrics::bind(supernode)?,
        status: if supernode.status || io::stderr().is_terminal() { Status::Told } else { Status::Silent },
    };
    let until = Until::Calls { left: None, drain: supernode.drain };
    run_beside(aside, config, open(&cli.global)?, None, until, Stdin::Ignored, printer)
}

/// `silbo doctor`
pub(super) fn doctor(cli: &Cli, opened: Opened, printer: &Printer) -> Result<u8, Reason> {
    let config = config(&cli.global, &Media::default());
    let runtime = runtime()?;
    let status = runtime.block_on(async {
        let mut stop = Stop::listen();
        let Opened { profile, storage, identity } = opened;
        // Its events are not read: what no longer fits into their queue is dropped.
        let (handle, _events, running) = engine::start(config, profile, storage, identity).await?;
        let desk = running.desk();
        let answer = tokio::select! {
            biased;
            () = stop.asked() => None,
            answer = desk.run(Errand::Diagnose) => Some(answer),
        };
        send(&handle, Command::Quit).await;
        let Some((told, failed)) = answer else { return Ok(0) };
        for body in told {
            printer.body(body);
        }
        running.finished().await;
        failed.map_or(Ok(0), Err)
    });
    runtime.shutdown_background();
    status
}

/// What a supernode does beside serving.
#[derive(Debug, Default)]
struct Aside {
    metrics: Option<Metrics>,
    status: Status,
}

/// Whether a status line is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Status {
    Told,
    #[default]
    Silent,
}

impl Aside {
    /// Begins; dropping what is returned ends it.
    fn begin(self, desk: &Desk) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        if let Some(metrics) = self.metrics {
            tasks.spawn(metrics.serve(desk.clone()));
        }
        if self.status == Status::Told {
            tasks.spawn(status::tell(desk.clone()));
        }
        tasks
    }
}

/// Refuses sound files that cannot be used before anybody is called, rather than when the call is answered.
pub(super) fn check_files(media: &Media) -> Result<(), Reason> {
    if let AudioSource::File(path) = &media.mic {
        fs::File::open(path).map_err(|error| unusable("read", path, &error))?;
        if path.is_dir() {
            return Err(unusable("read", path, &io::ErrorKind::IsADirectory.into()));
        }
    }
    if let AudioSink::File(path) = &media.speaker {
        let writable = if path.exists() {
            fs::OpenOptions::new().write(true).open(path).map(drop)
        } else {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            fs::read_dir(folder.unwrap_or(Path::new("."))).map(drop)
        };
        writable.map_err(|error| unusable("write", path, &error))?;
    }
    Ok(())
}

fn run(
    config: Config,
    opened: Opened,
    command: Option<Command>,
    until: Until,
    stdin: Stdin,
    printer: &Printer,
) -> Result<u8, Reason> {
    run_beside(Aside::default(), config, opened, command, until, stdin, printer)
}

fn run_beside(
    aside: Aside,
    config: Config,
    opened: Opened,
    command: Option<Command>,
    until: Until,
    stdin: Stdin,
    printer: &Printer,
) -> Result<u8, Reason> {
    let runtime = runtime()?;
    let status = runtime.block_on(serve(aside, config, opened, command, until, stdin, printer));
    runtime.shutdown_background();
    status
}

async fn serve(
    aside: Aside,
    config: Config,
    opened: Opened,
    command: Option<Command>,
    mut until: Until,
    stdin: Stdin,
    printer: &Printer,
) -> Result<u8, Reason> {
    let mut stop = Stop::listen();
    let Opened { profile, storage, identity } = opened;
    let (folder, network) = (profile.folder().to_owned(), config.network);
    let (handle, mut events, running) = engine::start(config, profile, storage, identity).await?;
    // What only does one thing is gone before anybody else could ask it anything.
    let attached =
        matches!(until, Until::Calls { .. }).then(|| attach::listen(&folder, network, running.desk()));
    let beside = aside.begin(&running.desk());
    let mut lines = match stdin {
        Stdin::Read => Some(inbox::lines(inbox::parse)),
        Stdin::Ignored => None,
    };
    if let Some(command) = command {
        send(&handle, command).await;
    }
    let mut hang_up_at = None;
    let mut leaving = Leaving::No;
    let status = loop {
        tokio::select! {
            biased;
            // Priority 1: whoever started us wants us to end.
            () = stop.asked() => match (until, leaving) {
                (Until::Calls { drain, .. }, Leaving::No) => {
                    leaving = Leaving::Asked;
                    send(&handle, Command::Leave(drain)).await;
                }
                _ => break Ok(0),
            },
            // Priority 2: what the engine reports.
            event = events.recv() => {
                let Some(event) = event else {
                    break match leaving {
                        Leaving::Asked => Ok(0),
                        Leaving::No => Err(Reason::Internal("the engine stopped".into())),
                    };
                };
                printer.event(&event);
                if leaving == Leaving::No
                    && let Some(status) = judge(&event.body, &mut until, &mut hang_up_at, printer)
                {
                    break Ok(status);
                }
            }
            // Priority 3: commands on standard input.
            line = next_line(&mut lines) => match line {
                Some(Ok(command)) => send(&handle, command).await,
                Some(Err(reason)) => printer.error(&reason),
                // Its end is ignored.
                None => lines = None,
            },
            // Priority 4: the call has lasted long enough.
            () = at(hang_up_at) => {
                hang_up_at = None;
                send(&handle, Command::HangUp).await;
            }
        }
    };
    // Before the profile is free: whoever takes it next puts a socket of its own there.
    drop((attached, beside));
    send(&handle, Command::Quit).await;
    running.finished().await;
    while let Ok(event) = events.try_recv() {
        printer.event(&event);
    }
    status
}

/// The exit status, once the command has its answer.
fn judge(
    body: &EventBody,
    until: &mut Until,
    hang_up_at: &mut Option<Instant>,
    printer: &Printer,
) -> Option<u8> {
    match (until, body) {
        (Until::Registered, EventBody::Registered { .. }) | (Until::Added, EventBody::Contact { .. }) => {
            Some(0)
        }
        (Until::LookedUp, EventBody::Lookup { name, claims, .. }) => {
            if !claims.is_empty() {
                return Some(0);
            }
            let nobody = Reason::NoSuchName(name.clone());
            printer.error(&nobody);
            Some(nobody.exit_status())
        }
        (Until::CallEnded { .. } | Until::HungUp, EventBody::Ended { ended, .. }) => {
            Some(ended.reason.exit_status())
        }
        (until @ Until::CallEnded { .. }, EventBody::MediaFlowing { .. }) => {
            if let Until::CallEnded { duration: Some(duration) } = until {
                *hang_up_at = Some(Instant::now() + *duration);
            }
            *until = Until::HungUp;
            None
        }
        (Until::Calls { left: Some(left), .. }, EventBody::Ended { .. }) => {
            *left = left.saturating_sub(1);
            (*left == 0).then_some(0)
        }
        // A node that stays goes on after a failed command, and so does a call.
        (Until::Calls { .. } | Until::HungUp, _) => None,
        (_, EventBody::Refused(reason)) => Some(reason.exit_status()),
        _ => None,
    }
}

async fn send(handle: &EngineHandle, command: Command) {
    // An engine that is gone reports so through its events.
    let _ = handle.commands.send(command).await;
}

async fn next_line(
    lines: &mut Option<mpsc::Receiver<Result<Command, Reason>>>,
) -> Option<Result<Command, Reason>> {
    match lines {
        Some(lines) => lines.recv().await,
        None => future::pending().await,
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when.into()).await,
        None => future::pending().await,
    }
}

pub(super) fn runtime() -> Result<Runtime, Reason> {
    Builder::new_multi_thread()
        .enable_all()
        .thread_name("silbo-net")
        .build()
        .map_err(|error| Reason::Internal(format!("no threads for the network: {error}")))
}

fn unusable(what: &str, path: &Path, error: &io::Error) -> Reason {
    let why = format!("cannot {what} the sound file {}: {error}", path.display());
    Reason::Device { why, fault: Fault::Other }
}
