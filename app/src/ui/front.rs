//! What the window holds: the gate for as long as no engine runs, then one app after the other.

use super::state::{GateState, Restart, ReturnWish};
use super::{App, Clock, Hiding, Locale, text, theme, views};
use crate::desktop::Desktop;
use crate::engine::gate::{Door, GateHandle, GateView, GateWish, Trial};
use crate::engine::view::Appearance;
use eframe::glow;
use egui::ViewportCommand;
use std::sync::Arc;

/// The content of the window, from its first frame to its last.
pub struct Front {
    gate: GateHandle,
    view: Arc<GateView>,
    phase: Phase,
    profile: Option<String>,
    system: Locale,
    clock: Clock,
    /// Until the first app has it.
    desktop: Option<(Desktop, Hiding)>,
}

enum Phase {
    /// Nobody has opened the key.
    Gate(GateState),
    /// An engine runs.
    App(Box<App>),
}

impl Front {
    /// Fills a window: installs fonts and themes in `ctx` and asks the gate to wake it. Until the person chooses a
    /// language, it speaks that of the system.
    pub fn new(
        ctx: &egui::Context,
        gate: GateHandle,
        profile: Option<String>,
        system: Locale,
        clock: Clock,
    ) -> Self {
        theme::install(ctx);
        let waked = ctx.clone();
        gate.set_wake(Arc::new(move || waked.request_repaint()));
        let view = Arc::clone(&gate.view.borrow());
        if view.appearance != Appearance::System {
            ctx.set_theme(theme::preference(view.appearance));
        }
        let phase = Phase::Gate(GateState::default());
        let mut front = Self { gate, view, phase, profile, system, clock, desktop: None };
        front.follow(ctx);
        front
    }

    /// Speaks to this desktop from now on, whichever app runs.
    pub fn set_desktop(&mut self, desktop: Desktop, hiding: Hiding) {
        match &mut self.phase {
            Phase::App(app) => app.set_desktop(desktop, hiding),
            Phase::Gate(_) => self.desktop = Some((desktop, hiding)),
        }
    }

    /// Takes the newest state of the gate; another engine is another app.
    fn follow(&mut self, ctx: &egui::Context) {
        self.view = Arc::clone(&self.gate.view.borrow_and_update());
        match (&self.view.door, &self.phase) {
            (Door::Open(engine), Phase::App(app)) if app.speaks_to(engine) => {}
            (Door::Open(engine), _) => {
                let (profile, clock) = (self.profile.clone(), Clock::clone(&self.clock));
                let mut app = App::new(ctx, engine.clone(), profile, self.system, clock);
                match &mut self.phase {
                    Phase::App(earlier) => app.follow_after(earlier),
                    Phase::Gate(_) => {
                        if let Some((desktop, hiding)) = self.desktop.take() {
                            app.set_desktop(desktop, hiding);
                        }
                    }
                }
                self.phase = Phase::App(Box::new(app));
            }
            // No engine follows one that could not be replaced: what stands outside the window goes with it.
            (Door::Sealed | Door::Broken(_), Phase::App(_)) => self.phase = Phase::Gate(GateState::default()),
            (Door::Sealed | Door::Broken(_), Phase::Gate(_)) => {}
        }
    }

    fn send(gate: &GateHandle, wish: GateWish) {
        if let Err(refused) = gate.wishes.try_send(wish) {
            tracing::warn!(%refused, "the gate did not take a wish");
        }
    }
}

impl eframe::App for Front {
    /// Takes the newest snapshot; runs also while the window is hidden.
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        self.follow(ctx);
        if let Phase::App(app) = &mut self.phase {
            app.logic(ctx, frame);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        match &mut self.phase {
            Phase::Gate(state) => {
                text::speak(Locale::chosen(self.view.language, self.system));
                match views::gate_ui(ui, &self.view, state) {
                    Some(views::GateAction::Open(passphrase)) => {
                        Self::send(&self.gate, GateWish::Open(passphrase));
                    }
                    Some(views::GateAction::Quit) => ui.send_viewport_cmd(ViewportCommand::Close),
                    None => {}
                }
            }
            Phase::App(app) => {
                app.state.returning.trial = self.view.trial.clone();
                app.ui(ui, frame);
                if let ReturnWish::Made(brought) = std::mem::take(&mut app.state.returning.wish) {
                    app.state.returning.trial = Trial::Running;
                    Self::send(&self.gate, GateWish::ComeBack(brought));
                }
                if app.state.restart == Restart::Wished {
                    app.state.restart = Restart::Running;
                    Self::send(&self.gate, GateWish::Restart);
                }
            }
        }
    }

    fn on_exit(&mut self, gl: Option<&glow::Context>) {
        if let Phase::App(app) = &mut self.phase {
            app.on_exit(gl);
        }
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}
