//! Invites at the window: our own link, and those that others gave us.

use super::actor::{Actor, Done};
use super::event::EventBody;
use super::invites;
use super::view::{InviteView, NoInvite, Search};
use crate::reason::Reason;
use overlay::Invite;

impl Actor {
    /// Makes the link that a friend needs, of what is known of the network now.
    pub(super) fn make_invite(&mut self) -> Result<(), Reason> {
        if let EventBody::Invite { link, supernodes } =
            invites::make(&self.storage, &self.identity, self.config.network)?
        {
            self.picture.view.invite = Some(InviteView { link, supernodes });
        }
        Ok(())
    }

    /// Brings the window up for somebody who opened it once more, perhaps with a link.
    pub(super) fn show(&mut self, link: Option<&str>) -> Result<(), Reason> {
        if !self.picture.is_watched() {
            return Err(Reason::ProfileLocked(self.profile.folder().display().to_string()));
        }
        self.picture.view.raised += 1;
        if let Some(link) = link {
            self.offer_invite(link);
        }
        Ok(())
    }

    /// Shows whom a link invites to. It may come from anywhere: nobody is added or called by it.
    pub(super) fn offer_invite(&mut self, link: &str) {
        self.picture.view.search = match invites::read(link, self.config.network) {
            Err(why) => Search::NoInvite(NoInvite::Unreadable(why)),
            Ok(invite) => {
                let key = invite.identity();
                let name = invite.name().map_or_else(|| key.fingerprint(), ToString::to_string);
                Search::Offered { key, name, link: link.to_owned() }
            }
        };
    }

    /// Adds whoever a link invites to, and asks their network.
    pub(super) fn add_invite(&mut self, link: &str) {
        let added = match invites::read(link, self.config.network) {
            Err(why) => Err(NoInvite::Unreadable(why)),
            Ok(invite) => self.believe(&invite).map(|()| invite.identity()).map_err(NoInvite::Refused),
        };
        self.picture.view.search = match added {
            Ok(key) => Search::Invited { key },
            // The page says what is wrong.
            Err(why) => {
                self.tell(None, EventBody::Refused(why.clone().into()));
                Search::NoInvite(why)
            }
        };
    }

    fn believe(&mut self, invite: &Invite) -> Result<(), Reason> {
        let now = self.now().unix;
        let told = invites::accept(invite, &mut self.storage, self.own, now)?;
        self.read_lists();
        self.tell(None, told);
        let (overlay, hints) = (self.overlay.clone(), invite.hints().to_vec());
        self.jobs.spawn(async move {
            overlay.add_hints(hints).await;
            Done::HintsGiven
        });
        Ok(())
    }
}
