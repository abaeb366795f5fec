//! Notifications, by the Desktop Notifications Specification 1.2 (`org.freedesktop.Notifications`).
//!
//! ```text
//!   wanted ──Notify──▶ shown ──CloseNotification (no longer wanted)──▶ gone
//!                        ├─────ActionInvoked──▶ Report::Pressed
//!                        └─────NotificationClosed──▶ Report::Gone
//! ```

use super::Report;
use futures_lite::StreamExt;
use std::collections::{BTreeMap, HashMap};
use zbus::message::Type;
use zbus::zvariant::Value;
use zbus::{Connection, MatchRule, Message, MessageStream};

/// Names a notification; the window gives each its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotificationId(pub u64);

/// What the desktop shows for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its own name.
    pub id: NotificationId,
    /// The first line, plain text.
    pub summary: String,
    /// The rest, plain text as well; what servers would take for markup is escaped on its way out.
    pub body: String,
    /// How much it disturbs.
    pub urgency: Urgency,
    /// What can be pressed, and what is written on it.
    pub actions: Vec<(Action, String)>,
}

/// How much a notification disturbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// It goes away by itself.
    Normal,
    /// It stays until somebody acts; the sound is our own.
    Ringing,
}

/// What can be pressed on a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The notification itself.
    Default,
    /// Accept the call.
    Accept,
    /// Accept the call without being seen.
    AcceptWithoutVideo,
    /// Decline the call.
    Decline,
    /// Say something to whoever calls, and decline.
    DeclineWith,
    /// See whom one could call back.
    CallBack,
    /// See what it is about.
    Show,
}

impl Action {
    const ALL: [Self; 7] = [
        Self::Default,
        Self::Accept,
        Self::AcceptWithoutVideo,
        Self::Decline,
        Self::DeclineWith,
        Self::CallBack,
        Self::Show,
    ];

    /// As it is called on the bus.
    const fn key(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Accept => "accept",
            Self::AcceptWithoutVideo => "accept-without-video",
            Self::Decline => "decline",
            Self::DeclineWith => "decline-with",
            Self::CallBack => "call-back",
            Self::Show => "show",
        }
    }
}

/// Most characters of somebody's name in a notification.
const LONGEST_NAME: usize = 64;

/// A name as it may stand in a notification: in one line, of bounded length, and without signs that change how the rest is
/// read. Strangers choose their names.
pub fn short_name(name: &str) -> String {
    let harmless = |letter: &char| {
        // What changes the direction of writing, or is not to be seen.
        let unseen = matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        !unseen && !letter.is_control()
    };
    let mut letters = name.chars().filter(harmless);
    let mut short: String = letters.by_ref().take(LONGEST_NAME).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}

const SERVER: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// The program, as the person knows it, and as the desktop does.
const APP: &str = "Silbo";
const DESKTOP_ENTRY: &str = "silbo";

/// The notifications of this process.
pub(super) struct Notifications {
    connection: Connection,
    signals: MessageStream,
    /// Those that stand, and what the server calls them.
    shown: BTreeMap<NotificationId, u32>,
    /// Whether the server reads markup, once it was asked.
    markup: Option<Markup>,
    /// The log says once that there is no server.
    complained: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Markup {
    Read,
    Shown,
}

impl Notifications {
    pub(super) async fn new(connection: &Connection) -> zbus::Result<Self> {
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(SERVER)?
            .interface(SERVER)?
            .path(PATH)?
            .build();
        let signals = MessageStream::for_match_rule(rule, connection, None).await?;
        let connection = connection.clone();
        Ok(Self { connection, signals, shown: BTreeMap::new(), markup: None, complained: false })
    }

    /// Shows those that are new and takes those away that are no longer wanted.
    pub(super) async fn follow(&mut self, wanted: &[Notification]) {
        let unwanted = |id: &NotificationId| wanted.iter().all(|notification| notification.id != *id);
        let gone: Vec<_> = self.shown.keys().copied().filter(unwanted).collect();
        for id in gone {
            if let Some(shown) = self.shown.remove(&id)
                && let Err(error) = self.call("CloseNotification", &shown).await
            {
                tracing::debug!(%error, "a notification could not be taken away");
            }
        }
        for notification in wanted {
            if self.shown.contains_key(&notification.id) {
                continue;
            }
            match self.notify(notification).await {
                Ok(shown) => {
                    self.shown.insert(notification.id, shown);
                }
                Err(error) if !self.complained => {
                    self.complained = true;
                    tracing::info!(%error, "this desktop shows no notifications");
                }
                Err(error) => tracing::debug!(%error, "a notification could not be shown"),
            }
        }
    }

    /// What happened to one of ours. Cancel safe; never returns once the bus is gone.
    pub(super) async fn next(&mut self) -> Report {
        while let Some(message) = self.signals.next().await {
            if let Some(report) = message.ok().and_then(|message| self.read(&message)) {
                return report;
            }
        }
        std::future::pending().await
    }

    async fn notify(&mut self, notification: &Notification) -> zbus::Result<u32> {
        let body = match self.markup().await? {
            Markup::Read => escaped(&notification.body),
            Markup::Shown => notification.body.clone(),
        };
        let actions: Vec<&str> =
            notification.actions.iter().flat_map(|(action, label)| [action.key(), label]).collect();
        let mut hints = HashMap::from([("desktop-entry", Value::from(DESKTOP_ENTRY))]);
        let expires = match notification.urgency {
            Urgency::Normal => {
                hints.insert("urgency", Value::from(1u8));
                -1
            }
            Urgency::Ringing => {
                hints.insert("urgency", Value::from(2u8));
                hints.insert("category", Value::from("call.incoming"));
                hints.insert("suppress-sound", Value::from(true));
                0
            }
        };
        let replaces = 0u32;
        let arguments =
            (APP, replaces, DESKTOP_ENTRY, notification.summary.as_str(), body, actions, hints, expires);
        self.call("Notify", &arguments).await?.body().deserialize()
    }

    async fn markup(&mut self) -> zbus::Result<Markup> {
        if let Some(markup) = self.markup {
            return Ok(markup);
        }
        let reply = self.call("GetCapabilities", &()).await?;
        let capabilities: Vec<String> = reply.body().deserialize()?;
        let reads = capabilities.iter().any(|capability| capability == "body-markup");
        let markup = if reads { Markup::Read } else { Markup::Shown };
        self.markup = Some(markup);
        Ok(markup)
    }

    /// A signal of the server, if it is about one of ours and makes sense.
    fn read(&mut self, signal: &Message) -> Option<Report> {
        let header = signal.header();
        let (member, body) = (header.member()?.as_str(), signal.body());
        match member {
            "ActionInvoked" => {
                let (shown, key): (u32, &str) = body.deserialize().ok()?;
                let action = Action::ALL.into_iter().find(|action| action.key() == key)?;
                Some(Report::Pressed { notification: self.named(shown)?, action })
            }
            "NotificationClosed" => {
                let (shown, _why): (u32, u32) = body.deserialize().ok()?;
                let gone = self.named(shown)?;
                self.shown.remove(&gone);
                Some(Report::Gone(gone))
            }
            _ => None,
        }
    }

    fn named(&self, shown: u32) -> Option<NotificationId> {
        self.shown.iter().find(|(_, id)| **id == shown).map(|(id, _)| *id)
    }

    async fn call<B>(&self, method: &str, arguments: &B) -> zbus::Result<Message>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        self.connection.call_method(Some(SERVER), PATH, Some(SERVER), method, arguments).await
    }
}

/// Text as it stands in markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_name_is_one_short_line_that_changes_nothing_around_it() {
        assert_eq!(short_name("ana.perez"), "ana.perez");
        assert_eq!(short_name("eva\n\u{202e}\u{2066}\u{200b}\u{7}!"), "eva!");
        let long = short_name(&"x".repeat(10_000));
        assert_eq!(long.chars().count(), LONGEST_NAME + 1);
        assert!(long.ends_with('…'));
        assert_eq!(short_name(&"x".repeat(LONGEST_NAME)), "x".repeat(LONGEST_NAME));
    }

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escaped("<b>\"a\" & 'b'</b>"), "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/b&gt;");
    }

    #[test]
    fn each_action_has_a_key_of_its_own() {
        let mut keys = Action::ALL.map(Action::key);
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
