//! The profile's own username: claimed, claimed anew at each start, and what became of it.

use super::{
    OwnName,
    actor::{Actor, Done, Wait},
    command::Command,
    event::EventBody,
    reasons,
    view::ClaimState,
};
use crate::{reason::Reason, storage::Setting};
use overlay::{RegisterError, Registration, Username};

impl Actor {
    pub(super) fn claim_name(&mut self, name: &str) -> Result<(), Reason> {
        let username = Username::parse(name).map_err(|_| Reason::BadName(name.to_owned()));
        let username = match username {
            Ok(username) => username,
            Err(reason) => {
                self.picture.view.own.claim = ClaimState::Failed(reason.clone());
                return Err(reason);
            }
        };
        self.picture.view.own.claim = ClaimState::Claiming;
        // What was said of the name before is over.
        self.picture.view.notices.retain(|notice| !notice.why.is_about_own_name());
        if self.wait_for_network(Command::ClaimName(name.to_owned()))? == Wait::NoNeed {
            self.register(username);
        }
        Ok(())
    }

    pub(super) fn renew_name(&mut self) {
        if self.renewed || self.config.own_name == OwnName::Leave {
            return;
        }
        self.renewed = true;
        let name = self.picture.view.own.name.as_deref().and_then(|name| Username::parse(name).ok());
        if let Some(name) = name {
            self.register(name);
        }
    }

    pub(super) fn register(&mut self, name: Username) {
        let overlay = self.overlay.clone();
        self.jobs.spawn(async move {
            let result = overlay.register(name.clone()).await;
            Done::Registered(name, result)
        });
    }

    pub(super) fn registered(&mut self, name: &Username, result: Result<Registration, RegisterError>) {
        match result {
            Ok(Registration { state, held_by, of, .. }) => {
                let kept = self.storage.set(Setting::Name, name.as_str().as_bytes());
                self.kept(kept);
                self.line.set_own_name(name.as_str());
                self.picture.view.own.name = Some(name.to_string());
                self.picture.view.own.claim = ClaimState::Held { held_by, of };
                self.tell(None, EventBody::Registered { name: name.to_string(), state, held_by, of });
            }
            Err(error) => {
                let reason = reasons::of_register(name, error);
                self.picture.view.own.claim = match reason {
                    Reason::NameTaken(_) => ClaimState::Taken,
                    _ => ClaimState::Failed(reason.clone()),
                };
                self.refuse(None, reason);
            }
        }
    }
}
