//! Every message of the window. What it says is in `assets/locales`, under GROUP-NAME.

#[cfg(test)]
use super::tests::{Kind, Message, Sample};

messages! {
    texts {
        /// First run.
        first_run {
            title, intro, field, hint, rules, valid, claim, later, next, go_on, devices_title,
            devices_text, network_good, help_title, help, help_cost, keeping_title, keeping_text, taken,
            claiming_title,
            claiming(name: &str),
            held_title(name: &str),
            held_by_one,
            held(held_by: usize, of: usize),
        }
        /// What is wrong with a name.
        username {
            too_short(least: usize),
            too_long(most: usize),
            character(character: &str),
            space, start, end, double_separator, other,
        }
        /// Side panel.
        side {
            no_name, choose_name, field, clear, invite, contacts, recent, recent_word,
            network, network_word, help, help_word, settings, request_line, calling_line, echo_line, echo_first, no_call_yet,
            empty, joining, joining_tip, online, offline, key_tip,
            verified(name: &str),
            blocked,
            blocked_row(name: &str),
            online_tip(homes: usize),
            here,
            recent_missed(count: u32),
            last_seen(when: &str),
            press_enter,
            own(name: &str),
            look_up_short(least: usize),
            look_up(name: &str),
            requests(count: usize),
            request(name: &str),
        }
        /// Points in time, as they follow “Last call:” and “Last seen”.
        when {
            today(time: &str),
            yesterday(time: &str),
            on(date: &str, time: &str),
        }
        /// Lengths of calls.
        lasted {
            seconds(seconds: u64),
            minutes(minutes: u64, seconds: u64),
            hours(hours: u64, minutes: u64),
        }
        /// Page of a contact.
        contact {
            first_call, echo, fingerprint, pinned, remove, keep, gone, call_with_video,
            call(name: &str),
            safety, verified, same, compare_again,
            compare(name: &str),
            was_compared(name: &str),
            last_call(when: &str),
            remove_question(name: &str),
            remove_yes(name: &str),
            block(name: &str),
            unblock(name: &str),
            blocked(name: &str),
        }
        /// Search and add.
        add {
            searching, add, open, already, yourself, one, none_next, offered, not_now, no_invite, own_invite,
            try_again,
            offered_title(name: &str),
            searching_title(name: &str),
            no_name(name: &str),
            one_title(name: &str),
            several_title(count: usize, name: &str),
            several_text(name: &str),
            none_title(name: &str),
            failed_title(name: &str),
            holders(count: usize),
            add_one_of(fingerprint: &str),
            open_one_of(fingerprint: &str),
        }
        /// Requests of strangers.
        request {
            accept, decline, text, calling_text, gone,
            title(name: &str), calling(name: &str),
            wants(name: &str),
            want(name: &str, more: usize),
            stranger, look,
        }
        /// Calls.
        call {
            answer, answer_without_video, decline, mute, unmute, camera_on, camera_off, share, stop_sharing, full_screen,
            exit_full_screen, small_window, close_small_window, back_to_window, hang_up, devices,
            cancel, again, close, muted, hold_to_talk, heard_while_held, mic, echo_hint, echo_heard, echo_silent, keys_note,
            keys_verified, own_camera, own_screen, own_window, move_own, microphone_silent,
            microphone_gone, microphone_dead, loudspeaker_gone, loudspeaker_dead, check_devices,
            sharing_screen, sharing_window, stop, camera_while_sharing, once_connected,
            picture_of(name: &str),
            unseen,
            muted_word,
            they_are_muted(name: &str),
            reconnecting,
            nothing_comes(name: &str),
            volume_of(name: &str),
            volume(percent: u8),
            calling, ringing, incoming, incoming_video,
            missed(name: &str),
            connecting, active, ended, calling_detail, ringing_detail,
            connecting_detail, local, direct, relayed, local_tip, direct_tip, relayed_tip, bad,
            fair, good, excellent,
            quality_label(bars: u8),
            lost_and_delay(milliseconds: u64, percent: f64),
        }
        /// Declining with a few words.
        reply {
            open,
            title(name: &str),
            later, not_now, ten_minutes, hint, field, note, too_long, characters, send, back,
            said(name: &str, words: &str),
        }
        /// What others would see, outside a call.
        camera {
            title, open, close, seen, live,
        }
        /// What a call was like.
        receipt {
            title(name: &str),
            open(name: &str, detail: &str),
            none, close, sound, worst, path, mixed, delay, lost, made_up, pictures, rate, frozen,
            milliseconds(milliseconds: u64),
            seconds(seconds: f64),
            percent(percent: f64),
            lines(lines: u32),
            pictures_a_second(pictures: f64),
        }
        /// How a call is while it lasts.
        trend {
            title, open, close, looking, sound, delay, lost, bandwidth, pictures,
            opinion(opinion: f64),
            kbits(kbits: f64),
            now(figure: &str, value: &str),
        }
        /// The title of the window.
        title {
            profile(profile: &str),
            talk(name: &str),
            muted, open, screen, window, camera,
            waiting(count: usize, title: &str),
        }
        /// What to share.
        sharing {
            title, screen, windows, looking, no_windows, cancel,
        }
        /// Invite a friend.
        invite {
            title, intro, making, copy, copied, copy_message,
            message(link: &str),
            qr, too_long, renew, no_name,
            own_key(fingerprint: &str),
            supernodes(count: usize),
        }
        /// Scan a code.
        scan {
            title, text, camera, stop, hold, seen, picture, drop, file, hint, read, reading, no_invite,
            no_picture, no_file,
        }
        /// Choosing a file in the dialog of the desktop.
        chooser {
            picture, backup, new_backup, failed,
        }
        /// Can people call me?.
        network {
            looking, looking_text, callable, over_tcp, no_sound, unreachable, again, copy, copied,
            details, fewer,
        }
        /// How the router treats what goes out, in a picture.
        nat {
            computer, router, internet, open, independent, dependent, unknown,
            picture(how: &str),
        }
        /// The helpers this computer knows, on a circle and in a list.
        ring {
            title, text, own, home, linked, answered, heard_of, silent, round_trips, unmeasured,
            map(helpers: usize, homes: usize),
            known(helpers: usize, homes: usize),
            drawn(drawn: usize, helpers: usize),
            counted(what: &str, count: usize),
            rings_for(lasted: &str),
            linked_for(lasted: &str),
            milliseconds(milliseconds: f64),
            spot(address: &str, ties: &str),
            more(count: usize),
        }
        /// What was found out about the network, and is well or cannot be helped.
        found {
            is_supernode,
            rung_through(helpers: usize),
            seen_at(addresses: &str),
            nat_open, nat_independent, nat_unknown, udp_works, udp_unknown, ipv_six_works,
            ipv_six_unproven, port_open, port_untested, serves, clock_unknown, clock_right,
        }
        /// Help others.
        help {
            title, intro, may, directory, directory_text, introducer, introducer_text, relay,
            relay_text, next_start, restart, restarting, cap, no_cap, upload, unknown, metered,
            helped(people: usize, megabytes: f64),
            mbits(mbits: f64),
            now(connections: usize, mbits: f64),
            month(connections: usize, megabytes: f64),
            hours, hours_text, no_hour, same_hour, always, daily, from, to, earlier, later,
        }
        /// Settings, and the cards over a call that are like them.
        settings {
            title, sound, microphone, loudspeaker, looking, system, none, test, appearance, dark,
            light, language, done, unplugged,
            choice(of: &str, title: &str),
            blocked,
        }
        /// What Silbo does outside its window.
        desktop {
            title, notifications, notifications_text, autostart, autostart_text, autostart_other,
            keep, keep_text, quit,
            mute_key(keys: &str),
            mute_key_text, mute_key_impossible,
        }
        /// What the desktop says while nobody looks at the window.
        announce {
            ringing,
            calls(name: &str),
            calls_with_video(name: &str),
            missed,
            called(name: &str, when: &str),
            request,
            wants(name: &str),
            open, call_back, show,
        }
        /// Keeping one's key.
        keeping {
            title, why, open, sealed, show, hide, leave, written, checking, show_again, hint, field, check, right, seal, change, unseal,
            seal_text, unseal_text, present, wanted, again, advice, weak, once_more, same, differ,
            seal_now, unseal_now, cancel, sealing, was_sealed, was_opened, export, export_text,
            export_wanted, export_again, export_now, file, writing,
            exported(file: &str, contacts: usize, calls: usize),
        }
        /// Before an engine runs.
        gate {
            title,
            title_of(name: &str),
            intro, field, open, opening, wrong, lost, quit, broken,
        }
        /// Who was here before.
        returning {
            offer, title, intro, working, words_title, words_text, words_hint, words_field,
            words_button, backup_title, backup_text, file_hint, file_field, passphrase_field,
            backup_button, leave, returned,
        }
        /// A contact whose name belongs to another key now.
        key_change {
            title(name: &str),
            text(name: &str),
            pinned, found, meaning, keep, trust,
            number(name: &str),
            compared(name: &str),
            trust_now, row,
        }
        /// Words that both ends of a call read aloud.
        call_words {
            verify, verified_word,
            title(name: &str),
            text, looking, differing, differ_title, differed, compare_again, hang_up, look_again,
            differ(name: &str),
            matching,
            verified(name: &str),
            done,
        }
        /// Closing the window in a call.
        quit {
            next, yes, no,
            question(name: &str),
        }
        /// Recent calls.
        history {
            title, empty, received, missed, placed, unanswered, declined, cancelled, busy, no_answer, not_online, call,
            quoted(words: &str),
        }
        /// Notices.
        notice {
            dismiss(message: &str),
        }
        /// Forgetting past calls.
        forget {
            one, all, question, keep, yes,
        }
        /// What the person calls a contact.
        nickname {
            give, change, field, note, characters,
            too_long(most: usize),
            save, cancel,
        }
        /// How loud it rings.
        ringtone {
            title, silent, quiet, usual, loud, play,
        }
        /// What Silbo is.
        about {
            title,
            version(version: &str),
            what,
            licence(licences: &str),
            copy, copy_text,
        }
        /// Being sure of a contact.
        sure {
            title,
            by_words(name: &str),
            other_ways, fewer_ways,
            unsure(name: &str),
            still_sure, unsure_yes,
        }
    }
    sentences {
        /// Why a call ended, or something did not work.
        reason {
            hung_up, cancelled, declined, busy, not_answered, no_reaction, not_online,
            not_online_told, missed, replaced, no_path, connection_lost, peer_failed, incompatible,
            not_authentic,
            device(why: &str),
            microphone_absent, microphone_dead, loudspeaker_absent, loudspeaker_dead,
            microphone_missing, microphone_gone, microphone_busy, microphone_denied,
            loudspeaker_missing, loudspeaker_gone, loudspeaker_busy, loudspeaker_denied,
            sound_kept_out(why: &str),
            microphone_refused, loudspeaker_refused,
            camera_missing, camera_busy, camera_denied, camera_silent,
            camera_unusable(why: &str),
            sharing_session, sharing_whole,
            sharing_which(why: &str),
            sharing_hidden, sharing_closed,
            sharing_unusable(why: &str),
            usage(why: &str),
            not_built(what: &str),
            no_such_name(name: &str),
            no_such_contact(name: &str),
            name_ambiguous(name: &str, fingerprints: &str),
            key_changed(name: &str, pinned: &str, found: &str),
            blocked(name: &str),
            name_taken(name: &str),
            name_looks_taken(name: &str, theirs: &str),
            name_not_held(held_by: usize, needed: usize),
            yourself, no_network, cannot_be_called, already_in_call, no_call, no_camera,
            called_meanwhile(name: &str),
            full(most: u32),
            port_in_use(address: &str),
            port_forbidden(address: &str),
            not_our_address(address: &str),
            profile_locked(path: &str),
            too_many_attached,
            profile_unreadable(path: &str, why: &str),
            disk_full,
            profile_too_new(path: &str),
            database_damaged(moved_to: &str),
            window(why: &str),
            internal(why: &str),
            engine_busy,
        }
        /// Why a key, a passphrase, a backup or recovery words do not serve.
        custody {
            sealed(path: &str),
            wrong_passphrase(path: &str),
            weak_passphrase, no_passphrase,
            passphrase_file(path: &str, why: &str),
            unreadable(path: &str, why: &str),
            no_profile(path: &str),
            not_empty(path: &str),
            file(path: &str, why: &str),
            file_exists(path: &str),
            words_number(count: usize),
            words_unknown(places: &str),
            words_checksum, words_another,
        }
        /// Why it cannot be said whether Silbo starts at login.
        autostart {
            unreadable(path: &str, why: &str),
            unwritable(path: &str, why: &str),
            unnameable(path: &str),
        }
        /// Why no key mutes from other windows.
        mute_key {
            taken(keys: &str),
            no_key(keys: &str),
            server(keys: &str, why: &str),
        }
        /// What a call waits for.
        waiting {
            reply, path,
        }
        /// Why nobody can be reached.
        offline {
            nobody_known, nobody_answers, incompatible, full,
        }
        /// Why an invite does not serve.
        bad_invite {
            scheme, too_long, malformed, version, network, address, signature, other,
        }
        /// What was found out about the network, and what to change.
        advice {
            not_taken_in, nobody_answers, nat_dependent, calls_over_tcp, no_way_for_sound,
            ipv_six_none, port_of_supernode, port_filtered, offers_nothing,
            clock_behind(seconds: u64),
            clock_ahead(seconds: u64),
            clock_far_off,
        }
        /// How far this computer is on its way to help.
        standing {
            none, proving, stand_by, serving, draining, cooling_down, on_battery, metered,
            hours, no_address, uptime, address_age, upload, unreachable,
        }
    }
}
