//! The file chooser of the desktop, by its portal (`org.freedesktop.portal.FileChooser`, any version).
//!
//! ```text
//!   closed ──OpenFile or SaveFile──▶ asking ──Request.Response──▶ closed, Report::Chose
//!                                      └─────another question──▶ Request.Close, and asks anew
//! ```
//! Where no portal answers, paths are typed.

use super::{Outlet, Report};
use futures_lite::StreamExt;
use percent_encoding::percent_decode_str;
use std::collections::HashMap;
use std::path::PathBuf;
use zbus::fdo::DBusProxy;
use zbus::message::Type;
use zbus::names::BusName;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, MatchRule, Message, MessageStream};

/// What a file is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A code is read off it.
    Picture,
    /// Somebody comes back with it.
    Backup,
    /// A backup is written to it.
    NewBackup,
}

/// A question for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileQuestion {
    /// What for.
    pub purpose: Purpose,
    /// The title of the dialog.
    pub title: String,
    /// The name that a new file has unless another one is typed.
    pub name: String,
}

/// Whether the desktop lets files be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChooserPresence {
    /// It does not.
    #[default]
    Absent,
    /// It does.
    There,
    /// It says so, and did not when it was asked.
    Failed,
}

const PORTAL: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const CHOOSER: &str = "org.freedesktop.portal.FileChooser";
const REQUEST: &str = "org.freedesktop.portal.Request";

/// The portal, and what it is asked at present.
pub(super) struct Chooser {
    connection: Connection,
    responses: MessageStream,
    asking: Option<(Purpose, OwnedObjectPath)>,
}

impl Chooser {
    /// Looks for a portal, without starting one.
    pub(super) async fn new(connection: &Connection, outlet: &Outlet) -> zbus::Result<Self> {
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(PORTAL)?
            .interface(REQUEST)?
            .member("Response")?
            .build();
        let responses = MessageStream::for_match_rule(rule, connection, None).await?;
        let bus = DBusProxy::new(connection).await?;
        let runs = bus.name_has_owner(BusName::try_from(PORTAL)?).await?;
        let there =
            runs || bus.list_activatable_names().await?.iter().any(|startable| startable.as_str() == PORTAL);
        if there {
            outlet.report(Report::Chooser(ChooserPresence::There));
        }
        Ok(Self { connection: connection.clone(), responses, asking: None })
    }

    /// Asks for a file; an earlier question is taken back.
    pub(super) async fn ask(&mut self, question: &FileQuestion) -> zbus::Result<()> {
        if let Some((_, earlier)) = self.asking.take() {
            let closed =
                self.connection.call_method(Some(PORTAL), &earlier, Some(REQUEST), "Close", &()).await;
            if let Err(error) = closed {
                tracing::debug!(%error, "a question for a file could not be taken back");
            }
        }
        let mut options: HashMap<&str, Value<'_>> = HashMap::new();
        let method = match question.purpose {
            Purpose::Picture | Purpose::Backup => "OpenFile",
            Purpose::NewBackup => {
                options.insert("current_name", Value::from(question.name.as_str()));
                "SaveFile"
            }
        };
        // No parent: what names a window to the portal is another thing on every window system.
        let arguments = ("", question.title.as_str(), options);
        let reply =
            self.connection.call_method(Some(PORTAL), PATH, Some(CHOOSER), method, &arguments).await?;
        self.asking = Some((question.purpose, reply.body().deserialize()?));
        Ok(())
    }

    /// What was chosen. Cancel safe; never returns once the bus is gone.
    pub(super) async fn next(&mut self) -> Report {
        while let Some(message) = self.responses.next().await {
            if let Some(report) = message.ok().and_then(|message| self.read(&message)) {
                return report;
            }
        }
        std::future::pending().await
    }

    /// The answer, if it is one to the question that stands; nothing where somebody chose nothing.
    fn read(&mut self, response: &Message) -> Option<Report> {
        let header = response.header();
        let (_, request) = self.asking.as_ref()?;
        if header.path()?.as_str() != request.as_str() {
            return None;
        }
        let (purpose, _) = self.asking.take()?;
        let (outcome, mut results): (u32, HashMap<String, OwnedValue>) =
            response.body().deserialize().ok()?;
        if outcome != CHOSEN {
            return None;
        }
        let files = Vec::<String>::try_from(results.remove("uris")?).ok()?;
        match files.first().and_then(|uri| path_of(uri)) {
            Some(file) => Some(Report::Chose { purpose, file }),
            None => Some(Report::Chooser(ChooserPresence::Failed)),
        }
    }
}

/// The first argument of a response to which there is a file.
const CHOSEN: u32 = 0;

/// The file of a URI (RFC 8089 §2), if it is on this computer.
fn path_of(uri: &str) -> Option<PathBuf> {
    let path = uri.strip_prefix("file://")?;
    let path = path.strip_prefix("localhost").unwrap_or(path);
    if !path.starts_with('/') {
        return None;
    }
    // The window shows it as text.
    let path = percent_decode_str(path).decode_utf8().ok()?;
    (!path.contains('\0')).then(|| PathBuf::from(path.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_this_computer_is_found_whatever_its_name() {
        assert_eq!(path_of("file:///home/eva/a%20b.png"), Some(PathBuf::from("/home/eva/a b.png")));
        assert_eq!(path_of("file://localhost/tmp/x"), Some(PathBuf::from("/tmp/x")));
        assert_eq!(path_of("file:///tmp/%C3%B1"), Some(PathBuf::from("/tmp/ñ")));
    }

    #[test]
    fn what_is_no_file_here_is_none() {
        for uri in [
            "",
            "file:",
            "file://",
            "file://other/x",
            "http://a/b",
            "mtp:host/x",
            "file:///a%00b",
            "file:///%ff",
        ] {
            assert_eq!(path_of(uri), None, "{uri}");
        }
    }
}
