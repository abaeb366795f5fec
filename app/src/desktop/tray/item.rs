//! The icon, as `org.kde.StatusNotifierItem`.

use super::{MENU_PATH, Shared, TrayAction};
use crate::desktop::icon::{SIDE, rgba};
use crate::desktop::{Outlet, Report};
use serde::{Deserialize, Serialize};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{ObjectPath, OwnedValue, Type, Value};

pub(super) struct Item {
    shown: Shared,
    outlet: Outlet,
}

/// A picture: its sides, and per pixel opacity, red, green and blue.
#[derive(Debug, Clone, Type, Value, OwnedValue, Serialize, Deserialize)]
struct Pixmap {
    width: i32,
    height: i32,
    argb: Vec<u8>,
}

/// What is said of the icon under the mouse.
#[derive(Debug, Clone, Type, Value, OwnedValue, Serialize, Deserialize)]
struct ToolTip {
    icon_name: String,
    icon: Vec<Pixmap>,
    title: String,
    text: String,
}

impl Item {
    pub(super) const fn new(shown: Shared, outlet: Outlet) -> Self {
        Self { shown, outlet }
    }

    fn open(&self) {
        self.outlet.report(Report::TrayPressed(TrayAction::Open));
    }
}

#[zbus::interface(name = "org.kde.StatusNotifierItem")]
impl Item {
    fn activate(&self, _x: i32, _y: i32) {
        self.open();
    }

    fn secondary_activate(&self, _x: i32, _y: i32) {
        self.open();
    }

    /// Trays that cannot draw menus ask for one; the window has all of it.
    fn context_menu(&self, _x: i32, _y: i32) {
        self.open();
    }

    fn scroll(&self, _delta: i32, _orientation: &str) {}

    #[zbus(property)]
    fn category(&self) -> &'static str {
        "Communications"
    }

    #[zbus(property)]
    fn id(&self) -> &'static str {
        "silbo"
    }

    #[zbus(property)]
    fn title(&self) -> String {
        self.shown.lock().view.title.clone()
    }

    #[zbus(property)]
    fn status(&self) -> &'static str {
        "Active"
    }

    #[zbus(property)]
    fn window_id(&self) -> i32 {
        0
    }

    /// None: trays would prefer it to the picture, which alone has the badge.
    #[zbus(property)]
    fn icon_name(&self) -> &'static str {
        ""
    }

    #[zbus(property)]
    fn icon_pixmap(&self) -> Vec<Pixmap> {
        let mut argb = rgba(self.shown.lock().view.badge);
        for pixel in argb.chunks_exact_mut(4) {
            pixel.rotate_right(1);
        }
        vec![Pixmap { width: SIDE as i32, height: SIDE as i32, argb }]
    }

    #[zbus(property)]
    fn tool_tip(&self) -> ToolTip {
        let title = self.shown.lock().view.title.clone();
        ToolTip { icon_name: String::new(), icon: Vec::new(), title, text: String::new() }
    }

    #[zbus(property)]
    fn item_is_menu(&self) -> bool {
        false
    }

    #[zbus(property)]
    fn menu(&self) -> ObjectPath<'static> {
        ObjectPath::from_static_str_unchecked(MENU_PATH)
    }

    #[zbus(signal)]
    pub(super) async fn new_title(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(super) async fn new_icon(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(super) async fn new_tool_tip(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}
