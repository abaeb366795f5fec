//! Shows the window with invented content: `cargo run -p app --example gallery -- VIEW [dark|light] [en|es|pseudo]`.
//!
//! For looking at the design; the buttons do nothing here. Pictures of all of it: `app/tests/ui_views/snapshots.rs`.

mod sample;

use app::engine::EngineHandle;
use app::engine::gate::{Door, GateHandle};
use app::ui::{Locale, UiError, WindowConfig, run};
use std::sync::Arc;
use std::time::Instant;

fn main() -> Result<(), UiError> {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_else(|| "contacts".to_owned());
    let theme = match arguments.next().as_deref() {
        Some("light") => egui::ThemePreference::Light,
        _ => egui::ThemePreference::Dark,
    };
    let system = match arguments.next().as_deref() {
        Some("es") => Locale::Spanish,
        Some("pseudo") => Locale::Pseudo,
        _ => Locale::English,
    };
    let Some((_, view)) = sample::gallery(Instant::now()).into_iter().find(|(name, _)| *name == wanted)
    else {
        let names: Vec<&str> = sample::gallery(Instant::now()).into_iter().map(|(name, _)| name).collect();
        return Err(UiError::Window(format!("no view is called {wanted}; there are {}", names.join(", "))));
    };
    // `shown` and `_wishes` stay alive so that the window has an engine to speak to.
    let (engine, _wishes, shown) = EngineHandle::fake();
    shown.send_replace(Arc::new(view));
    let (gate, _gate_wishes, _gate_view) = GateHandle::fake(Door::Open(engine));
    run(gate, WindowConfig { theme, system, ..WindowConfig::default() })
}
