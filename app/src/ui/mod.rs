//! The desktop window: draws the engine's snapshot and sends wishes back; it owns no network state and never waits.
//!
//! [`driver::run`] opens the window; [`Front`] is the window's content and runs headless in tests: the gate while the key
//! is sealed, then [`App`]. Each frame is a function of the newest [`View`] and of what the person is typing. The window
//! sleeps until the engine wakes it, the person moves, or a running call needs its next second or its level meters.

mod announcer;
mod command;
mod corner;
pub mod driver;
mod front;
mod gauge;
mod passing;
mod state;
mod talking;
mod text;
mod theme;
mod tray;
mod views;
mod widgets;

pub use driver::{UiError, WindowConfig, run};
pub use front::Front;
pub use text::Locale;

use crate::desktop::{Desktop, MuteKeyWish, Purpose, Report, TrayAction, TrayPresence, Wanted};
use crate::engine::EngineHandle;
use crate::engine::command::Command;
use crate::engine::lookout::CameraPreview;
use crate::engine::scan::Scan;
use crate::engine::view::{Appearance, CallPhase, CallView, MuteAnywhere, OnClose, Search, View};
use announcer::{Announcer, Attention, Deed};
use command::UiCommand;
use eframe::glow;
use egui::{UserAttentionType, ViewportCommand, ViewportId, WindowLevel};
use gauge::Gauge;
use state::{Card, Closing, Page, Refused, Restart, Stage, UiState};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use talking::{Keyboard, Microphone};

/// Where the window reads the time; tests give their own.
pub type Clock = Rc<dyn Fn() -> Instant>;

/// The content of the window while an engine runs.
pub struct App {
    engine: EngineHandle,
    view: Arc<View>,
    state: UiState,
    clock: Clock,
    profile: Option<String>,
    /// What the system speaks.
    system: Locale,
    title: String,
    alerted: bool,
    appearance: Appearance,
    raised: u64,
    /// Whether an invite was shown in the last frame.
    offered: bool,
    announcer: Announcer,
    /// None until [`App::set_desktop`]: then the window is all there is.
    desktop: Option<Desktop>,
    hiding: Hiding,
    shown: Shown,
}

/// Whether a window can be taken off the screen and come back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hiding {
    /// It can, as on X11.
    Possible,
    /// It cannot: on Wayland, a program does not bring its windows up.
    Impossible,
}

/// Whether the window is on the screen at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// It is, be it minimised or behind others.
    Yes,
    /// It was closed, and Silbo goes on.
    Hidden,
}

impl App {
    /// Fills a window and asks the engine to wake it. Until the person chooses a language, it speaks that of the system.
    pub fn new(
        ctx: &egui::Context,
        engine: EngineHandle,
        profile: Option<String>,
        system: Locale,
        clock: Clock,
    ) -> Self {
        engine.set_wake(wake(ctx.clone(), &engine));
        let view = Arc::clone(&engine.view.borrow());
        let state = UiState::new(clock());
        let announcer = Announcer::new(Arc::clone(&view));
        Self {
            engine,
            view,
            state,
            clock,
            profile,
            system,
            title: String::new(),
            alerted: false,
            appearance: Appearance::System,
            raised: 0,
            offered: false,
            announcer,
            desktop: None,
            hiding: Hiding::Impossible,
            shown: Shown::Yes,
        }
    }

    /// Whether it is this engine's.
    fn speaks_to(&self, engine: &EngineHandle) -> bool {
        self.engine.commands.same_channel(&engine.commands)
    }

    /// Speaks to this desktop from now on.
    pub fn set_desktop(&mut self, desktop: Desktop, hiding: Hiding) {
        self.desktop = Some(desktop);
        self.hiding = hiding;
    }

    /// Goes on where the app before this one stopped: it speaks to the same desktop, and knows what that has told. Whoever
    /// wanted a restart sees the same page.
    fn follow_after(&mut self, earlier: &mut Self) {
        self.desktop = earlier.desktop.take();
        self.hiding = earlier.hiding;
        self.state.surroundings = std::mem::take(&mut earlier.state.surroundings);
        if earlier.state.restart == Restart::Running {
            (self.state.page, self.state.first_run) = (earlier.state.page, earlier.state.first_run);
            (self.state.last_contact, self.shown) = (earlier.state.last_contact, earlier.shown);
            self.state.arrived = earlier.state.arrived;
        }
    }

    /// The title the window should have.
    fn retitle(&mut self, ctx: &egui::Context) {
        let View { own, call, scan, preview, requests, .. } = &*self.view;
        let mut title = text::window_title(own.name.as_deref(), self.profile.as_deref(), call.as_ref());
        if matches!(scan, Scan::Looking(_)) || matches!(preview, CameraPreview::Open(_)) {
            title = text::filmed_title(&title);
        }
        let title = text::waiting_title(&title, requests.len());
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// Brings the window up once for each call that rings here, also when it is minimised or behind others, above which
    /// it stays for as long as it rings.
    fn alert(&mut self, ctx: &egui::Context) {
        let ringing = self.view.call.as_ref().is_some_and(|call| call.phase == CallPhase::Incoming);
        if ringing && !self.alerted {
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Critical));
            ctx.send_viewport_cmd(ViewportCommand::WindowLevel(WindowLevel::AlwaysOnTop));
            self.raise(ctx);
        } else if !ringing && self.alerted {
            ctx.send_viewport_cmd(ViewportCommand::WindowLevel(WindowLevel::Normal));
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Reset));
        }
        self.alerted = ringing;
    }

    /// Does what was pressed outside the window, and says there what is to be known.
    fn speak_to_the_desktop(&mut self, ctx: &egui::Context) {
        let Some(mut desktop) = self.desktop.take() else { return };
        while let Some(report) = desktop.report() {
            match report {
                Report::Pressed { notification, action } => {
                    if let Some(deed) = self.announcer.acted(notification, action) {
                        self.do_deed(ctx, deed);
                    }
                }
                Report::Gone(notification) => self.announcer.gone(notification),
                Report::Autostart(autostart) => self.state.surroundings.heard(autostart),
                Report::Tray(presence) => {
                    if self.hiding == Hiding::Possible {
                        self.state.surroundings.tray = presence;
                    }
                    // Nothing else would bring it back.
                    if presence == TrayPresence::Absent && self.shown == Shown::Hidden {
                        self.raise(ctx);
                    }
                }
                Report::Chooser(presence) => self.state.surroundings.chooser = presence,
                Report::Chose { purpose, file } => {
                    self.state.chose(purpose, views::from_home(&file));
                    if purpose == Purpose::Picture
                        && self.state.page == Page::Scan
                        && self.view.call.is_none()
                    {
                        self.send(vec![Command::ScanPicture(file)]);
                    }
                }
                Report::TrayPressed(action) => self.pressed_in_tray(ctx, action),
                Report::MuteKey(mute_key) => self.state.surroundings.heard_of_mute_key(mute_key),
                Report::MuteKeyPressed => self.turn_microphone(),
            }
        }
        // Also right while the window is minimised.
        let focused = ctx.input(|input| input.raw.focused);
        let attention = if focused { Attention::Here } else { Attention::Elsewhere };
        let notifications = self.announcer.follow(&self.view, attention);
        let tray = tray::tray_view(&self.view, &self.title);
        let mute_key = match (Microphone::of(&self.view), self.view.settings.mute_key) {
            (Microphone::None, _) | (_, MuteAnywhere::Off) => MuteKeyWish::Free,
            (Microphone::Muted | Microphone::Open, MuteAnywhere::On) => MuteKeyWish::Held,
        };
        desktop.want(Wanted { notifications, tray, mute_key });
        self.desktop = Some(desktop);
    }

    fn do_deed(&mut self, ctx: &egui::Context, deed: Deed) {
        match deed {
            Deed::Wish(wish) => self.send(vec![wish]),
            Deed::WishAndRaise(wish) => {
                self.send(vec![wish]);
                self.raise(ctx);
            }
            Deed::Raise => self.raise(ctx),
            Deed::Reply => {
                UiCommand::DeclineWith.perform(ctx, &mut self.state, &mut Vec::new());
                self.raise(ctx);
            }
            Deed::Open(page) => {
                self.state.go(page);
                self.raise(ctx);
            }
        }
    }

    /// Passes on what was asked of the desktop in this frame.
    fn order(&mut self) {
        if let Some(order) = self.state.surroundings.order.take()
            && let Some(desktop) = &self.desktop
            && !desktop.order(order)
        {
            self.state.refused = Some(Refused);
        }
    }

    /// Tells the other end how large its picture was in the last frame; nobody sees one that is minimised or covered.
    fn tell_viewing(&mut self, ctx: &egui::Context) {
        let filmed =
            |call: &CallView| matches!(call.phase, CallPhase::Active { .. }) && call.screen.is_some();
        if !self.view.call.as_ref().is_some_and(filmed) {
            self.state.gauge = Gauge::default();
            return;
        }
        let window = match self.state.stage {
            Stage::Window | Stage::FullScreen => ViewportId::ROOT,
            Stage::Apart => views::stage::viewport(),
        };
        let visible = |input: &egui::InputState| input.raw.viewports.get(&window)?.visible();
        if ctx.input(visible) == Some(false) {
            self.state.gauge.hide();
        }
        if let Some(viewing) = self.state.gauge.next_frame((self.clock)()) {
            self.send(vec![Command::SetViewing(viewing)]);
        }
    }

    /// Speaks the language the person has chosen, from when they say so.
    fn speak(&self) {
        text::speak(Locale::chosen(self.view.settings.language, self.system));
    }

    /// Dark or light as the person has it, from when they say so.
    fn dress(&mut self, ctx: &egui::Context) {
        let appearance = self.view.settings.appearance;
        if appearance != self.appearance {
            ctx.set_theme(theme::preference(appearance));
            self.appearance = appearance;
        }
    }

    /// Comes up when somebody opened Silbo once more; a link they opened is shown.
    fn come_up(&mut self, ctx: &egui::Context) {
        if self.view.raised != self.raised {
            self.raised = self.view.raised;
            self.raise(ctx);
        }
        let offered = matches!(self.view.search, Search::Offered { .. } | Search::NoInvite(_));
        if offered && !self.offered {
            self.state.go(Page::Search);
        }
        self.offered = offered;
    }

    /// Nobody leaves a call by closing the window without having been asked, and whoever wants to stay reachable stays.
    fn before_closing(&mut self, ctx: &egui::Context) {
        if !ctx.input(|input| input.viewport().close_requested()) || self.state.closing == Closing::Agreed {
            return;
        }
        let in_call = self.view.call.as_ref().is_some_and(|call| call.phase.is_talk());
        let tray = self.state.surroundings.tray == TrayPresence::There;
        if self.state.closing == Closing::Asks && tray && self.view.settings.on_close == OnClose::Hide {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            ctx.send_viewport_cmd(ViewportCommand::Visible(false));
            self.shown = Shown::Hidden;
        } else if in_call {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.state.closing = Closing::Asks;
            self.state.raise(Card::Quit);
        }
    }

    /// Brings the window up, also when it is hidden, minimised or behind others.
    fn raise(&mut self, ctx: &egui::Context) {
        if self.shown == Shown::Hidden {
            ctx.send_viewport_cmd(ViewportCommand::Visible(true));
            self.shown = Shown::Yes;
        }
        ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
        ctx.send_viewport_cmd(ViewportCommand::Focus);
    }

    fn pressed_in_tray(&mut self, ctx: &egui::Context, action: TrayAction) {
        self.send(tray::wish(action).into_iter().collect());
        match action {
            TrayAction::Open => self.raise(ctx),
            TrayAction::Quit => {
                if self.view.call.as_ref().is_some_and(|call| call.phase.is_talk()) {
                    self.raise(ctx);
                }
                self.state.closing = Closing::Quits;
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
            TrayAction::Mute | TrayAction::Unmute | TrayAction::HangUp => {}
        }
    }

    /// Closes the microphone, or opens it.
    fn turn_microphone(&mut self) {
        match Microphone::of(&self.view) {
            Microphone::None => {}
            Microphone::Muted => self.send(vec![Command::SetMuted(false)]),
            Microphone::Open => self.send(vec![Command::SetMuted(true)]),
        }
    }

    /// Opens the microphone of whoever is muted and holds Space, and closes it again.
    fn talk(&mut self, ctx: &egui::Context) {
        let now = (self.clock)();
        // Also right while the window is minimised.
        let keyboard = match ctx.input(|input| input.raw.focused) {
            false => Keyboard::Elsewhere,
            true if self.state.card.is_some() || ctx.text_edit_focused() => Keyboard::Taken,
            true => Keyboard::Free,
        };
        self.state.talking.look(ctx, now, Microphone::of(&self.view), keyboard);
        if let Some(wish) = self.state.talking.wish(now)
            && self.try_send(wish)
        {
            self.state.talking.told(now);
        }
        if self.state.talking.is_heard() {
            self.state.touched = now;
        }
    }

    fn send(&mut self, wishes: Vec<Command>) {
        for wish in wishes {
            self.try_send(wish);
        }
    }

    /// False when the engine did not take it; the person is told so.
    fn try_send(&mut self, wish: Command) -> bool {
        let sent = self.engine.commands.try_send(wish);
        if let Err(refused) = &sent {
            tracing::warn!(%refused, "the engine did not take a command");
            self.state.refused = Some(Refused);
        }
        sent.is_ok()
    }
}

impl eframe::App for App {
    /// Takes the newest snapshot; runs also while the window is hidden.
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.view = Arc::clone(&self.engine.view.borrow_and_update());
        self.speak();
        self.dress(ctx);
        self.retitle(ctx);
        self.before_closing(ctx);
        self.come_up(ctx);
        self.alert(ctx);
        self.talk(ctx);
        self.speak_to_the_desktop(ctx);
        self.tell_viewing(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.speak();
        self.state.now = (self.clock)();
        let mut wishes = Vec::new();
        views::window_ui(ui, &self.view, &mut self.state, &mut wishes);
        self.send(wishes);
        self.order();
    }

    fn on_exit(&mut self, _gl: Option<&glow::Context>) {
        self.send(vec![Command::Quit]);
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

/// What the engine calls after each snapshot. A running call changes its meters many times a second; the window
/// follows at the pace of the meters then, and at once otherwise.
fn wake(ctx: egui::Context, engine: &EngineHandle) -> crate::engine::Wake {
    let view = engine.view.clone();
    Arc::new(move || {
        if view.borrow().call.as_ref().is_some_and(|call| call.phase.is_ours()) {
            ctx.request_repaint_after(theme::pace::LEVELS);
        } else {
            ctx.request_repaint();
        }
    })
}
