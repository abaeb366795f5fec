//! What each command does.

use super::Actor;
use crate::engine::{
    command::{Command, Who},
    view::{ContactId, Search},
};

impl Actor {
    /// Does what the person wants; what cannot be done is told.
    pub(in crate::engine) fn handle_command(&mut self, command: Command) {
        let result = match command {
            Command::ClaimName(name) => self.claim_name(&name),
            Command::Search(name) => self.search(&name),
            Command::ClearSearch => {
                self.picture.view.search = Search::Idle;
                Ok(())
            }
            Command::AddContact { name, key } => self.add_contact(&name, key),
            Command::RemoveContact(ContactId::Person(key)) => self.remove_contact(key),
            Command::RemoveContact(ContactId::Echo) => Ok(()),
            Command::Block(key) => self.block(key),
            Command::Unblock(key) => self.unblock(key),
            Command::SetVerified(key, verified) => self.set_verified(key, verified),
            Command::SetNickname(key, nickname) => self.set_nickname(key, nickname.as_ref()),
            Command::KeepKey(pinned) => self.keep_key(pinned),
            Command::TrustKey(change) => self.trust_key(change),
            Command::Call(ContactId::Echo) => self.dial(Who::Echo),
            Command::Call(ContactId::Person(key)) => self.dial(Who::Key(key)),
            Command::CallWithVideo(key) => self.call_with_video(key),
            Command::Dial(who) => self.dial(who),
            Command::Add(who) => self.add(who),
            Command::Answer => self.line.answer(self.now()),
            Command::AnswerWith(camera) => self.answer_with(camera),
            Command::Decline => self.line.decline(self.now(), None),
            Command::DeclineWith(reply) => self.decline_with(reply),
            Command::HangUp => self.hang_up(),
            Command::SetMuted(muted) => self.set_muted(muted),
            Command::Talk(talk) => self.talk(talk),
            Command::SetVolume(of, volume) => self.set_volume(of, volume),
            Command::SetCamera(camera) => self.set_camera(camera),
            Command::Share(sharing) => self.share(sharing),
            Command::ShowCallWords => self.show_call_words(),
            Command::ListWindows => self.list_windows(),
            Command::SetViewing(viewing) => {
                self.set_viewing(viewing);
                Ok(())
            }
            Command::SetMicrophone(source) => self.set_microphone(source),
            Command::SetLoudspeaker(sink) => self.set_loudspeaker(sink),
            Command::SetRingtone(loudness) => self.set_ringtone(loudness),
            Command::TryRingtone => {
                self.try_ringtone();
                Ok(())
            }
            Command::ListDevices => {
                self.list_devices();
                Ok(())
            }
            Command::AgreeToHelp(agreed) => self.agree_to_help(agreed),
            Command::CountHelped => {
                self.count_helped();
                Ok(())
            }
            Command::MakeInvite => self.make_invite(),
            Command::OfferInvite(link) => {
                self.offer_invite(&link);
                Ok(())
            }
            Command::AddInvite(link) => {
                self.add_invite(&link);
                Ok(())
            }
            Command::ScanCamera => {
                self.scan_camera();
                Ok(())
            }
            Command::PreviewCamera => {
                self.preview_camera();
                Ok(())
            }
            Command::StopPreview => {
                self.stop_preview();
                Ok(())
            }
            Command::ScanPicture(path) => {
                self.scan_picture(path);
                Ok(())
            }
            Command::StopScanning => {
                self.stop_scanning();
                Ok(())
            }
            Command::CheckNetwork => {
                self.check_network();
                Ok(())
            }
            Command::LookAtRing => {
                self.look_at_ring();
                Ok(())
            }
            Command::SetAppearance(appearance) => self.set_appearance(appearance),
            Command::SetLanguage(language) => self.set_language(language),
            Command::SetNotifications(notifications) => self.set_notifications(notifications),
            Command::SetOnClose(on_close) => self.set_on_close(on_close),
            Command::SetMuteKey(mute_key) => self.set_mute_key(mute_key),
            Command::NetworkChanged => self.network_changed(),
            Command::AcceptRequest(key) => self.accept_request(key),
            Command::DeclineRequest(key) => self.decline_request(key),
            Command::ForgetCall { with, began } => self.forget_call(with, began),
            Command::ForgetCalls => self.forget_calls(),
            Command::ShowWords => {
                self.show_words();
                Ok(())
            }
            Command::HideWords => {
                self.hide_words();
                Ok(())
            }
            Command::CheckWords(words) => {
                self.check_words(&words);
                Ok(())
            }
            Command::Seal { present, wanted } => {
                self.seal(present, wanted);
                Ok(())
            }
            Command::NameBackup => self.name_backup(),
            Command::Export { file, passphrase, overwrite } => {
                self.export(file, passphrase, overwrite);
                Ok(())
            }
            Command::DismissNotice(id) => {
                self.picture.view.notices.retain(|notice| notice.id != id);
                Ok(())
            }
            Command::SeeMissed => {
                self.picture.view.missed = 0;
                self.storage.see_missed().map_err(Into::into)
            }
            Command::DismissCall => {
                if self.line.current().is_none() {
                    self.picture.view.call = None;
                }
                Ok(())
            }
            Command::Leave(within) => {
                self.leave(within);
                Ok(())
            }
            // Taken by the loop.
            Command::Quit => Ok(()),
        };
        if let Err(reason) = result {
            self.refuse(None, reason);
        }
    }
}
