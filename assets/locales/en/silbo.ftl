# Every sentence of the window, in English (https://projectfluent.org).
#
# A message is named GROUP-NAME after the function that says it, text::GROUP::NAME in app/src/ui/text. Sentence case, plain
# words, what happened and what to do next (`.next`), no command lines. Labels double as the names screen readers and tests
# know the controls by, so each is unique on its screen.

## First run

first_run-title = Choose your name
first_run-intro = Friends find you under this name. No e-mail address, no phone number, no account.
first_run-field = Your name
first_run-hint = for example ana.perez
first_run-rules = 3 to 32 characters: letters from a to z, digits, and dots, hyphens or underscores between them. It begins with a letter.
first_run-valid = Press Enter to claim it, if it is free.
first_run-claim = Claim this name
first_run-later = Later
first_run-next = Continue
first_run-go_on = Continue to contacts
first_run-devices_title = Can you hear and be heard?
first_run-devices_text = Choose what you speak into and listen to, and try it: Echo plays your voice back.
first_run-network_good = Calls reach this computer, and it reaches others.
first_run-help_title = Help others too?
first_run-help = Yes, when this computer can
first_run-help_cost = Others then use a small part of your internet connection. You can stop it at any time.
first_run-keeping_title = Keep your name for good
first_run-keeping_text = No company could give your name back to you. With 24 words on paper you can always come back.
first_run-taken = Somebody else already has this name. Try another one.
first_run-claiming_title = Claiming your name
first_run-claiming = Asking the network for “{ $name }”. This takes a few seconds.
first_run-held_title = You are { $name }
first_run-held_by_one = The name is yours: one computer of the network keeps it, and more follow.
first_run-held = The name is yours: { $held_by } of { $of } computers of the network keep it.

## What is wrong with a name

username-too_short = A name has at least { $least } characters.
username-too_long = A name has at most { $most } characters.
username-character = “{ $character }” cannot be in a name. Use letters from a to z without accents, digits, dots, hyphens and underscores.
username-start = A name begins with a letter from a to z.
username-end = A name ends with a letter or a digit.
username-double_separator = Between letters or digits stands one dot, hyphen or underscore, not two.
username-space = A name has no spaces. Put a dot, a hyphen or an underscore in their place.
username-other = This cannot be a name. Use letters from a to z, digits, dots, hyphens and underscores.

## Side panel

side-no_name = No name yet
side-choose_name = Choose a name
side-field = Find or add a person
side-clear = Clear search
side-invite = Invite a friend
side-contacts = Contacts
side-requests = Requests ({ $count })
side-recent = Recent calls
side-recent_word = Recent
# The accessible name while there are missed calls that were not looked at yet.
side-recent_missed = Recent calls, { $count ->
    [one] one missed
   *[other] { $count } missed
}
side-network = Can people call me?
side-network_word = Network
side-help = Helping
side-help_word = Helping
side-settings = Settings
side-request_line = Wants to call you
side-calling_line = Is calling you now
side-echo_line = Hear yourself
side-echo_first = Your first call
side-no_call_yet = No call yet
side-empty = Nobody here yet. Type a friend's name above and press Enter to find them.
side-joining = Joining
side-joining_tip = Looking for the network. This takes a few seconds.
side-online = Reachable
side-offline = Offline
side-key_tip = The fingerprint of your key. Friends can compare it to be sure that it is you.
# The accessible name of the own name and key at the top; it shows the invite.
side-own = You: { $name }
# Stands below the contacts while an invite is in the search field.
side-press_enter = Press Enter to add whoever this invite is from.
# The accessible name of somebody whose key was compared.
side-verified = { $name }, verified
side-blocked = Blocked
# The accessible name of somebody who is blocked.
side-blocked_row = { $name }, blocked
side-online_tip = { $homes ->
    [one] People can call you. One helper passes their calls to you.
   *[other] People can call you. { $homes } helpers pass their calls to you.
}
side-here = Online now
side-last_seen = Last seen { $when }
# In the place of the row that looks a name up, while it cannot be one yet.
side-look_up_short = To look for somebody new, type at least { $least } characters.
side-look_up = Look up “{ $name }”
side-request = Request from { $name }

## Points in time, as they follow “Last call:” and “Last seen”

when-today = today { $time }
when-yesterday = yesterday { $time }
when-on = { $date } { $time }

## Lengths of calls

lasted-seconds = { $seconds } s
lasted-minutes = { $minutes } min { $seconds } s
lasted-hours = { $hours } h { $minutes } min

## Page of a contact

contact-echo = Echo plays your voice back two seconds later, on this computer only. Use it to try out your microphone.
contact-first_call = A good first call: Echo always answers, and nobody else needs to be there.
contact-fingerprint = Fingerprint
contact-pinned = Calls go to this key alone: nobody can take this contact's place, whatever name they use.
contact-remove = Remove contact
contact-keep = Keep
contact-gone = This contact was removed. Choose another one on the left.
contact-call = Call { $name }
contact-call_with_video = Call with video
contact-safety = Safety number
contact-verified = Verified
contact-same = They are the same
contact-compare_again = No longer sure
contact-compare = { $name } sees the same number on the page about you, if nobody stands in between. Compare it when you meet, or read it aloud in a call where you know the voice.
contact-was_compared = You have compared keys with { $name }: it is really them.
contact-last_call = Last call: { $when }
contact-remove_question = Remove { $name } from your contacts? You can add them again by name.
contact-remove_yes = Remove { $name }
contact-block = Block { $name }
contact-unblock = Unblock { $name }
contact-blocked = You have blocked { $name }. They cannot call you and do not see whether you are here; nobody tells them why.

## Search and add

add-searching = Asking several computers of the network who has this name.
add-add = Add to contacts
add-open = Open contact
add-already = Already one of your contacts.
add-yourself = That is you: friends who look for this name find you.
add-one = Add them, and you can call. To be sure that it is your friend, compare this key with theirs, or press “Verify” in a call.
add-none_next = Check the spelling, or ask your friend whether they were online yet.
add-offered = You opened a link that adds them to your contacts. The name is what the link says; only the fingerprint is certain.
add-not_now = Not now
add-no_name = “{ $name }” cannot be a name
add-no_invite = This invite does not work
add-own_invite = This is your own invite
add-try_again = Search again
add-offered_title = { $name } invites you
add-searching_title = Looking for { $name }
add-one_title = { $name } was found
add-several_title = { $count } people claim { $name }
add-several_text = Only one of them is the { $name } you know. Compare fingerprints with your friend before you add anybody.
add-none_title = Nobody is called { $name }
add-failed_title = The search for { $name } did not work
add-holders = { $count ->
    [one] Known to one computer of the network
   *[other] Known to { $count } computers of the network
}
# The accessible names of the buttons when several people claim the name.
add-add_one_of = Add { $fingerprint } to contacts
add-open_one_of = Open contact { $fingerprint }

## Requests of strangers

request-accept = Add to contacts
request-decline = Decline request
request-text = They are not one of your contacts, so it did not ring. The name is what they say; only the fingerprint is certain. Add them to let them call you.
request-calling_text = They are not one of your contacts, so it does not ring. The name is what they say; only the fingerprint is certain. Add them, and it rings.
request-gone = This request is settled.
request-title = { $name } tried to call you
request-calling = { $name } is calling you now
request-wants = { $name } wants to call you
request-want = { $name } and { $more ->
    [one] one more person
   *[other] { $more } more people
} want to call you
request-stranger = They are not one of your contacts, so it does not ring.
request-look = Look

## Calls

call-answer = Accept
call-answer_without_video = Accept without video
call-decline = Decline
call-mute = Mute
call-unmute = Unmute
call-camera_on = Start video
call-camera_off = Stop video
call-share = Share
call-stop_sharing = Stop sharing
call-full_screen = Full screen
call-exit_full_screen = Exit full screen
call-small_window = Small window
call-close_small_window = Close small window
call-back_to_window = Back to the main window
call-hang_up = Hang up
call-devices = Sound devices
call-volume_of = How loud you hear { $name }
call-volume = { $percent } %
call-cancel = Cancel call
call-again = Call again
call-close = Close
call-muted = You are muted. Nobody hears you.
# Stands beside the name of the other end while that is muted; screen readers say the whole sentence.
call-muted_word = Muted
call-they_are_muted = { $name } is muted
call-hold_to_talk = Hold Space to talk
call-heard_while_held = You are heard while you hold Space
call-mic = Your microphone
call-echo_hint = Say something: you hear it again two seconds later.
call-echo_heard = Echo heard you. If you heard yourself too, everything works.
call-echo_silent = Nothing came from your microphone. Choose another one, or see whether it is switched off.
call-keys_note = Encrypted from end to end. “Verify” tells whether anybody is in between.
call-keys_verified = Encrypted from end to end. Only the two of you can hear this call.
call-own_camera = Your camera
call-own_screen = Your screen
call-own_window = Your window
call-move_own = Move your picture to another corner
call-microphone_silent = Nothing is heard from your microphone
call-microphone_gone = Your microphone does not work any more
call-microphone_dead = Your microphone does not work
call-loudspeaker_gone = Your loudspeaker does not work any more
call-loudspeaker_dead = Your loudspeaker does not work
# A button; it opens the sound devices.
call-check_devices = Check sound devices
call-sharing_screen = You are sharing your screen
call-sharing_window = You are sharing a window
# A button beside “You are sharing your screen”.
call-stop = Stop
call-camera_while_sharing = While you share, your camera is off.
call-once_connected = Possible as soon as you talk.
# What the picture of the other end is.
call-picture_of = Picture of { $name }
# Stands between what is the matter with the camera and what helps.
call-unseen = They hear you and do not see you.
call-calling = Calling…
call-ringing = Ringing…
# Stands below the name of who calls.
call-incoming = is calling you
call-incoming_video = is calling you with video
call-missed = Missed call from { $name }
call-connecting = Connecting the sound…
call-active = In a call
call-ended = Call ended
call-calling_detail = Looking for them on the network.
call-ringing_detail = Their computer rings. Waiting for an answer.
call-connecting_detail = Finding the best way between the two computers.
call-local = Local
call-direct = Direct
call-relayed = Relayed
call-local_tip = The sound stays within this computer.
call-direct_tip = The sound goes straight to the other computer.
call-relayed_tip = The sound goes through a helper, who cannot hear it.
call-reconnecting = Reconnecting…
# Nothing at all has come from the other end for a while.
call-nothing_comes = Nothing comes from { $name }. Silbo looks for another way.
call-bad = Bad
call-fair = Fair
call-good = Good
call-excellent = Excellent
call-quality_label = Sound quality: { $bars ->
    [4] excellent
    [3] good
    [2] fair
   *[other] bad
}
call-lost_and_delay = It takes { $milliseconds } ms from mouth to ear. { NUMBER($percent, minimumFractionDigits: 1) } % of the sound was lost or late.

## Declining with a few words

reply-open = Decline with a message
reply-title = What should { $name } read?
# Three sentences that are ready: what is said to whoever calls, as it stands here.
reply-later = I will call you back.
reply-not_now = I can't talk right now.
reply-ten_minutes = Call me again in ten minutes.
reply-hint = Or in your own words
reply-field = Your own words
reply-note = It declines the call, and nobody else can read it.
reply-too_long = That is too long: leave something out.
reply-characters = A message is one line, without signs that cannot be seen.
reply-send = Decline and send
reply-back = Back to the call
# What the other end said.
reply-said = { $name }: “{ $words }”

## What others would see, outside a call

camera-title = Camera
camera-open = Show my camera
camera-close = Close the camera
camera-seen = What others would see
camera-live = Your camera is on

## What a call was like

receipt-title = The call with { $name }
# $detail: which way it went, when, how long it lasted and how it sounded.
receipt-open = Call with { $name }: { $detail }
receipt-none = Nothing was measured: the call was too short.
receipt-close = Close
receipt-sound = Sound
receipt-worst = At its worst
receipt-path = Connection
receipt-mixed = Direct and relayed
receipt-delay = Delay
receipt-lost = Lost or late
receipt-made_up = Gaps smoothed over
receipt-pictures = Picture
receipt-rate = Motion
receipt-frozen = Picture froze
receipt-milliseconds = { $milliseconds } ms
receipt-seconds = { NUMBER($seconds, minimumFractionDigits: 1) } s
receipt-percent = { NUMBER($percent, minimumFractionDigits: 1) } %
receipt-lines = { $lines } lines
receipt-pictures_a_second = { $pictures } a second

## How a call is while it lasts

trend-title = How this call is going
trend-open = Statistics
trend-close = Close statistics
trend-looking = The first figures come within a second.
trend-sound = Sound quality, 1 to 5
trend-delay = Delay
trend-lost = Sound lost or late
trend-bandwidth = Received
trend-pictures = Pictures a second
trend-opinion = { NUMBER($opinion, minimumFractionDigits: 1) }
trend-kbits = { $kbits } kbit/s
trend-now = { $figure }: { $value }

## The title of the window

title-profile = profile { $profile }
title-talk = in a call with { $name }
title-muted = you are muted
title-open = your microphone is on
title-screen = your screen is shown
title-window = a window of yours is shown
title-camera = your camera is on
title-waiting = ({ $count }) { $title }

## What to share

sharing-title = What do you want to show?
sharing-screen = The whole screen
sharing-windows = Or a window, and nothing else:
sharing-looking = Looking for open windows…
sharing-no_windows = There is no other window to show.
sharing-cancel = Cancel

## Invite a friend

invite-title = Invite a friend
invite-intro = Send this link to a friend who has Silbo, or let them scan the code. They open it, or paste it into “Find or add a person”, and have you among their contacts.
invite-making = Making the link…
invite-copy = Copy link
invite-copied = Copied. Paste it into a message to your friend.
invite-copy_message = Copy with an explanation
invite-message = Call me with Silbo: a program for calls from computer to computer, without an account and without a company in between. If you do not have it yet, ask me for it. Then open this link, or paste it into its search field: { $link }
invite-qr = Your invite as a QR code
invite-too_long = The link is too long for a QR code.
invite-renew = Make a new link
invite-no_name = You have no name yet: your friend sees your fingerprint instead.
invite-own_key = Your key: { $fingerprint }
invite-supernodes = { $count ->
    [0] It cannot lead to you yet. Wait until you are reachable, and make a new link.
    [one] It leads to you through { $count } helper.
   *[other] It leads to you through { $count } helpers.
}

## Scan a code

scan-title = Scan a friend's code
scan-text = Your friend finds theirs under “Invite a friend”. Whoever it invites to is shown before anybody is added.
scan-camera = Use the camera
scan-stop = Close the camera
scan-hold = Hold the code before the camera, so that it fills most of the picture.
scan-seen = What the camera sees
scan-picture = Or a picture of it
scan-drop = Drop it onto this window, or say where it is.
scan-file = File of the picture
scan-hint = such as ~/code.png
scan-read = Read the picture
scan-reading = Reading the picture…
scan-no_invite = There was no invite to be seen. Hold the code straight and nearer, or take another picture of it.
scan-no_file = There is no such file, or you may not read it. Look at its name once more.
scan-no_picture = This is no picture that can be read. Choose a PNG or JPEG file.

## Choosing a file in the dialog of the desktop

chooser-picture = Choose the picture
chooser-backup = Choose the backup
chooser-new_backup = Choose where it goes
chooser-failed = This desktop did not show its files. Type where it is.

## Can people call me?

network-looking = Checking your network
network-looking_text = Asking other computers how they see this one. This takes a few seconds.
network-callable = People can call you
network-over_tcp = People can call you, but the sound may stutter
network-no_sound = It rings here, but no sound would get through
network-unreachable = Nobody can call you at the moment
network-again = Look again
network-copy = Copy report
network-copied = Copied.
network-details = Show the details for experts
network-fewer = Hide the details

# How the router treats what goes out, in a picture.
nat-computer = This computer
nat-router = Router
nat-internet = Internet
nat-open = No router in between
nat-independent = One door for everybody
nat-dependent = Another door for each
nat-unknown = Not known yet
# $how: one of the four before.
nat-picture = This computer, the router and the internet: { $how }

# The helpers this computer knows, on a circle and in a list.
ring-title = The network around you
ring-text = Every helper has a place on this circle, and so has every name: the helpers around it keep that name.
ring-map = The network as this computer sees it: { $helpers ->
    [0] no helper known
    [one] one helper known
   *[other] { $helpers } helpers known
}, { $homes ->
    [0] none passes calls to you
    [one] one passes calls to you
   *[other] { $homes } pass calls to you
}
ring-known = { $helpers ->
    [0] No helper is known yet.
    [one] One helper is known; { $homes ->
        [0] it does not pass calls to you.
       *[other] it passes calls to you.
    }
   *[other] { $helpers } helpers are known; { $homes ->
        [0] none of them passes calls to you.
        [one] one of them passes calls to you.
       *[other] { $homes } of them pass calls to you.
    }
}
ring-drawn = { $drawn } of { $helpers } are drawn.
ring-own = This computer
ring-home = Passes calls to you
ring-linked = Connected
ring-answered = Has answered
ring-heard_of = Not asked yet
ring-silent = Does not answer
# $what: one of the five before.
ring-counted = { $what }: { $count }
ring-round_trips = Time there and back
ring-rings_for = Passes calls to you, for { $lasted }
ring-linked_for = Connected for { $lasted }
ring-milliseconds = { $milliseconds } ms
ring-unmeasured = Not measured
# $ties: what this computer has to do with it.
ring-spot = { $address }: { $ties }
ring-more = { $count ->
    [one] And one more.
   *[other] And { $count } more.
}

# What was found out, and is well or cannot be helped.
found-is_supernode = This computer is a helper itself: others are found and called through it.
found-rung_through = { $helpers ->
    [one] One helper passes calls to you.
   *[other] { $helpers } helpers pass calls to you.
}
found-seen_at = Others see this computer at { $addresses }.
found-nat_open = This computer is on the internet directly, without a router in between.
found-nat_independent = Your router goes well with calls: most of them go straight to the other computer.
found-nat_unknown = How your router treats calls is not known yet: it takes two helpers that answer to find out.
found-udp_works = Your network lets calls through.
found-udp_unknown = Nobody has answered yet.
found-ipv_six_works = The newer internet addresses (IPv6) work here, too.
found-ipv_six_unproven = This computer has one of the newer internet addresses (IPv6), but nobody was reached over it.
found-port_open = Others can reach this computer from outside.
found-port_untested = Whether others can reach this computer from outside was not tested: only who helps others needs that.
found-serves = It helps others because whoever runs it said so.
found-clock_unknown = Too few computers said what time it is to judge the clock.
found-clock_right = The clock is right.

# What was found out, and what to change.
advice-not_taken_in = Helpers answer, but none of them passes calls to you yet.
    .next = They may be full: try again in a minute.
advice-nobody_answers = Helpers are known, and none of them answers.
    .next = Check your network connection. If it works, a firewall may hold Silbo back: let it out there.
advice-nat_dependent = Your router makes direct calls difficult: many calls go through a helper.
    .next = For direct calls, turn on IPv6 in the router, or the setting called “full cone”.
advice-calls_over_tcp = Your network holds calls back, so they go a slower way through a helper, and the sound may stutter.
    .next = Use another network, or give the report to whoever looks after this one.
advice-no_way_for_sound = Your network holds calls back, and no helper has a way around it right now.
    .next = Use another network, look again in a minute, or give the report to whoever looks after this one.
advice-ipv_six_none = This computer has none of the newer internet addresses (IPv6).
    .next = With IPv6 turned on in the router more calls are direct.
advice-port_of_supernode = Others cannot reach this helper from outside, so nobody new is sent to it.
    .next = Let it in through the firewall and the router, as the details say, or stop it.
advice-port_filtered = Others cannot reach this computer from outside, so it cannot help them; your own calls do not need that.
    .next = To let it help, set up port forwarding to it in the router, as the details say.
advice-offers_nothing = This computer does not help others.
    .next = To let it, whenever it can and is needed: say so under “Helping”.
advice-clock_behind = The clock is { $seconds } s behind; Silbo goes by the time of the network instead.
    .next = Let the system set the time from the network.
advice-clock_ahead = The clock is { $seconds } s ahead; Silbo goes by the time of the network instead.
    .next = Let the system set the time from the network.
advice-clock_far_off = The clock is more than a day off: too far to be corrected, so that no record is valid here.
    .next = Let the system set the time from the network.

## Help others

help-title = Helping
help-intro = Silbo has no servers. Computers that strangers can reach, and whose owners agree, let others find and hear each other. Yours does so only where you say yes, and pauses while it runs on battery.
help-may = This computer may
help-directory = Keep names
help-directory_text = Who has which username. A few megabytes.
help-introducer = Ring people
help-introducer_text = Those whose routers let no stranger in. Hardly any traffic.
help-relay = Pass calls on
help-relay_text = Where there is no direct way. Sealed: nobody here can listen.
help-next_start = This takes effect the next time Silbo starts.
help-restart = Restart now
help-restarting = Silbo starts anew. This takes a few seconds.
help-cap = Calls passed on, at most
help-no_cap = No limit
help-upload = What your internet connection can send
help-unknown = I do not know
help-metered = My traffic costs money: do not help with it
help-helped = { $people ->
    [0] Right now nobody needs this computer to be found. { NUMBER($megabytes, minimumFractionDigits: 1) } MB of calls were passed on since it was started.
    [one] Right now { $people } person is found through this computer. { NUMBER($megabytes, minimumFractionDigits: 1) } MB of calls were passed on since it was started.
   *[other] Right now { $people } people are found through this computer. { NUMBER($megabytes, minimumFractionDigits: 1) } MB of calls were passed on since it was started.
}
help-mbits = { $mbits } Mbit/s
help-now = { $connections ->
    [one] { $connections } connection is passed on right now, at { NUMBER($mbits, minimumFractionDigits: 1) } Mbit/s.
   *[other] { $connections } connections are passed on right now, at { NUMBER($mbits, minimumFractionDigits: 1) } Mbit/s.
}
# A call has one or more connections: one for each end that needs one.
help-month = { $connections ->
    [0] In the last 30 days no call was passed on.
    [one] In the last 30 days: { NUMBER($megabytes, minimumFractionDigits: 1) } MB of calls, over { $connections } connection.
   *[other] In the last 30 days: { NUMBER($megabytes, minimumFractionDigits: 1) } MB of calls, over { $connections } connections.
}
help-hours = When it helps
help-hours_text = At other times it begins to help nobody new, and whom it helps can move on: nobody is cut off.
help-no_hour = Type a full hour of the day, for example 22:00.
help-same_hour = It cannot end at the hour at which it begins. To help all day, choose “Always”.
help-always = Always
help-daily = Between two hours
help-from = From
help-to = Until
help-earlier = Earlier
help-later = Later

## Settings, and the cards over a call that are like them

settings-title = Settings
settings-sound = Sound
settings-microphone = Microphone
settings-loudspeaker = Loudspeaker
settings-looking = Looking for microphones and loudspeakers…
settings-system = System default
settings-none = There is none. Plug one in, or switch on the sound system; it appears here by itself.
settings-test = Call Echo to hear yourself
settings-appearance = Appearance
settings-dark = Dark
settings-light = Light
settings-language = Language
settings-done = Done
# A device that was chosen once.
settings-unplugged = Your choice (not plugged in)
# The accessible name of a choice, since several lists may hold the same.
settings-choice = { $of }: { $title }
settings-blocked = Blocked people

## Outside the window

desktop-title = Outside this window
desktop-notifications = Notifications
desktop-notifications_text = The desktop says who calls, who called and who asks to, while you do not look at this window.
desktop-autostart = Start when you log in
desktop-autostart_text = People can call you from then on.
desktop-autostart_other = Another profile starts when you log in; this one would take its place.
desktop-keep = Keep running when the window is closed
desktop-keep_text = People can go on calling you. The window comes back from the icon in the tray, where you can also quit.
desktop-mute_key = Mute from any window with { $keys }
desktop-mute_key_text = During calls, whatever window is in front. Other programs do not get these keys meanwhile.
desktop-mute_key_impossible = This system lets no program hear keys that are pressed in other windows; that takes X11. Ctrl+M mutes in this window.
desktop-quit = Quit Silbo

## What the desktop says while nobody looks at the window

announce-ringing = Incoming call
announce-calls = { $name } is calling you.
announce-calls_with_video = { $name } is calling you with video.
announce-missed = Missed call
# When is for example “today 14:05”.
announce-called = { $name } called you: { $when }.
announce-request = Contact request
announce-wants = Somebody who goes by “{ $name }” wants to be able to call you.
announce-open = Open Silbo
announce-call_back = Call back
announce-show = Show request

## Keeping one's key

keeping-title = Recovery and backup
keeping-why = Your key is you: there is nobody who could give you a new one. Write these 24 words down on paper, where nobody else looks. With them you are yourself again on any computer.
keeping-open = The key lies on this computer, readable by your user only.
keeping-sealed = The key lies on this computer, sealed with your passphrase.
keeping-show = Show recovery words
keeping-hide = Hide the words
keeping-leave = Check them later
keeping-written = Check what I wrote down
keeping-checking = Type the words from your paper. They are hidden until you are done.
keeping-show_again = Show them again
keeping-hint = Type them from the paper, to be sure
keeping-field = Recovery words from the paper
keeping-check = Check the words
keeping-right = These are the right words. Keep the paper where nobody else looks.
keeping-seal = Seal with a passphrase
keeping-change = Change the passphrase
keeping-unseal = Remove the passphrase
keeping-seal_text = Each start of Silbo asks for it from then on. Nobody can give you a lost one back: the recovery words are the only other way.
keeping-unseal_text = Without one, whoever can read your files can be you.
keeping-present = Passphrase you have now
keeping-wanted = New passphrase
keeping-again = New passphrase once more
keeping-advice = Several words that do not belong together are hard to guess and easy to keep.
keeping-weak = This is too easy to guess: take at least 12 characters, of which 6 differ.
keeping-once_more = Type it once more, to be sure.
keeping-same = Both are the same.
keeping-differ = The two are not the same. Type them again.
keeping-seal_now = Seal the key
keeping-unseal_now = Leave the key open
keeping-cancel = Cancel
keeping-sealing = The key is being written…
keeping-was_sealed = Done. The next start of Silbo asks for this passphrase.
keeping-was_opened = Done. Silbo starts without a passphrase.
keeping-export = Make a backup
keeping-export_text = A backup holds all that you are here: the key, contacts, calls and settings, sealed with a passphrase of its own. Keep it on another device.
keeping-export_wanted = Passphrase of the backup
keeping-export_again = Passphrase of the backup once more
keeping-export_now = Write the backup
keeping-file = File of the backup
keeping-writing = The backup is being written…
keeping-exported = The backup is in { $file }, with { $contacts ->
    [one] { $contacts } contact
   *[other] { $contacts } contacts
} and { $calls ->
    [one] { $calls } call
   *[other] { $calls } calls
}. Copy it to another device, and remember its passphrase.

## Before an engine runs

gate-title = Your key is locked
gate-title_of = Welcome back, { $name }
gate-intro = Your key is sealed with your passphrase. Type it to go on.
gate-field = Passphrase
gate-open = Open
gate-opening = Opening. This takes a moment, so that guessing takes for ever.
gate-wrong = This passphrase does not open it. Try again: capitals and spaces count.
gate-lost = If it is lost, start Silbo on another computer and come back with your recovery words.
gate-quit = Quit
gate-broken = Silbo cannot start

## Who was here before

returning-offer = I have been here before
returning-title = Come back
returning-intro = Be yourself again on this computer, with your words or with a backup. Use it on one computer at a time only.
returning-working = One moment. Silbo starts anew as soon as it is read.
returning-words_title = With recovery words
returning-words_text = They bring back who you are. Contacts and calls are in backups only.
returning-words_hint = Type all 24, in their order
returning-words_field = Your recovery words
returning-words_button = Come back with the words
returning-backup_title = With a backup
returning-backup_text = It brings back everything: who you are, contacts, calls and settings.
returning-file_hint = such as ~/silbo-backup.silbo
returning-file_field = Your backup file
returning-passphrase_field = Passphrase of your backup
returning-backup_button = Come back with the backup
returning-leave = Choose a new name instead
returning-returned = Your key is back. Type the name you had: the network knows that it belongs to your key.

## A contact whose name belongs to another key now

key_change-title = “{ $name }” belongs to another key now
key_change-text = Somebody with another key has the name { $name } in the network. Calls from here still go to the key you know.
key_change-pinned = The key you know
key_change-found = The new key
key_change-meaning = Perhaps they set up Silbo anew and have lost their old key. Perhaps somebody wants to be taken for them. Ask them, not through Silbo, whether they have a new key.
key_change-keep = Keep the key I know
key_change-trust = They told me of a new key
key_change-number = Compare this number with { $name }, face to face or on the telephone. It must be the same on both screens.
key_change-compared = I compared it with { $name }, and it is the same
key_change-trust_now = Trust the new key
key_change-row = Another key now

## Words that both ends of a call read aloud

call_words-verify = Verify
call_words-verified_word = Verified
call_words-title = Is it only you and { $name }?
call_words-text = Read these words to each other, from 1 to 4. If you both see the same, nobody is in between.
call_words-looking = Working them out…
call_words-differ = Hang up, and say nothing private before. When you meet { $name }, compare the safety numbers on the pages about each other.
call_words-look_again = Look at the words again
call_words-hang_up = Hang up now
call_words-matching = They match
call_words-differing = They do not match
call_words-differ_title = Somebody may be listening
# Stands at the top of the call from then on.
call_words-differed = The words did not match: somebody may be listening. Hang up.
call_words-compare_again = Compare again
call_words-verified = You have compared keys with { $name }.
call_words-done = Not now

## Closing the window in a call

quit-next = Closing the window ends the call for both of you.
quit-yes = Hang up and close
quit-no = Stay in the call
quit-question = You are in a call with { $name }

## Recent calls

history-title = Recent calls
history-empty = No calls yet. Your first one can be with Echo, who is always at home.
history-received = Incoming call
history-missed = Missed call
history-placed = Outgoing call
history-unanswered = Not connected
history-declined = Declined
history-cancelled = Cancelled
history-busy = Busy
history-no_answer = No answer
history-not_online = Not online
# A button on the card of a past call.
history-call = Call
# What somebody said who declined.
history-quoted = “{ $words }”

## Notices

notice-dismiss = Dismiss: { $message }

## Forgetting past calls

forget-one = Forget this call
forget-all = Forget all calls
forget-question = Forget all past calls? They are deleted from this computer for good. Your contacts stay, and nobody is told.
forget-keep = Keep them
forget-yes = Forget them all

## What the person calls a contact

nickname-give = Give a nickname
nickname-change = Change the nickname
nickname-field = Nickname
nickname-note = Only you see it, on this computer. Leave it empty to see the username.
nickname-too_long = A nickname has at most { $most } characters.
nickname-characters = Letters, digits, signs and spaces on one line are fine; something in this is none of these.
nickname-save = Save nickname
nickname-cancel = Cancel

## How loud it rings

ringtone-title = Ringtone
ringtone-silent = Silent
ringtone-quiet = Quiet
ringtone-usual = Normal
ringtone-loud = Loud
ringtone-play = Play

## What Silbo is

about-title = About Silbo
about-version = Silbo { $version }
about-what = Calls from computer to computer, encrypted from end to end, without an account and without a company in between.
about-licence = Free software: you may use, change and pass it on. Licences: { $licences }.
about-copy = Copy details for a report
about-copy_text = For a report when something does not work: version and system, and nothing about you or your contacts.

## Being sure of a contact

sure-title = Is it really them?
sure-by_words = Call { $name }, press “Verify” there, and read each other the words you see. Where they are the same, it is them, and nobody listens in.
sure-other_ways = Other ways to be sure
sure-fewer_ways = Hide the other ways
sure-unsure = Take back that you compared keys with { $name }? You can compare them again at any time.
sure-still_sure = I am still sure
sure-unsure_yes = Take it back

## Why a call ended, or something did not work

reason-hung_up = The call is over.
    .next = Call again whenever you like.
reason-cancelled = The call was ended before it was answered.
    .next = Call again whenever you like.
reason-declined = The call was declined.
    .next = Try again later.
reason-busy = They are in another call.
    .next = Try again in a few minutes.
reason-not_answered = It rang, but nobody answered.
    .next = Try again later.
reason-no_reaction = Nothing came back from the other side.
    .next = They may be offline, or you may not be among their contacts yet: ask them to add you, or try later.
reason-not_online = They are not online.
    .next = Try again when they are online.
reason-not_online_told = They are not online.
    .next = They will see that you called when they are back; or try again later.
reason-missed = Nobody answered here in time.
    .next = Call back now, or later from “Recent”.
reason-replaced = The caller dialled again.
    .next = Answer the newer call.
reason-no_path = No way was found between the two computers.
    .next = One of the networks may hold calls back: look under “Network” on both computers, or try from another network.
reason-connection_lost = The connection was lost.
    .next = It may be their network or yours. Call again in a moment.
reason-peer_failed = The other side could not go on with the call.
    .next = Ask them what their Silbo says, and try again.
reason-incompatible = The other side speaks a version of Silbo that this one does not understand.
    .next = Update Silbo on both computers.
reason-not_authentic = Who answered could not prove to be the one you called.
    .next = Do not trust this connection; try again from another network.
reason-device = The microphone, loudspeaker or file cannot be used ({ $why }).
    .next = Check that it is plugged in, or choose another one in the settings.
reason-microphone_missing = No microphone was found, or the sound system of this computer is not running.
    .next = Plug one in, or log out and in again; then try once more.
reason-loudspeaker_missing = No loudspeaker was found, or the sound system of this computer is not running.
    .next = Plug one in, or log out and in again; then try once more.
reason-microphone_absent = The microphone that was chosen is not there.
    .next = Plug it in, or choose another one in the settings.
reason-loudspeaker_absent = The loudspeaker that was chosen is not there.
    .next = Plug it in, or choose another one in the settings.
reason-microphone_dead = The microphone does not work.
    .next = Plug it in again, or choose another one.
reason-loudspeaker_dead = The loudspeaker does not work.
    .next = Plug it in again, or choose another one.
reason-microphone_gone = The microphone does not work any more.
    .next = Plug it in again and it is used at once, or choose another one.
reason-loudspeaker_gone = The loudspeaker does not work any more.
    .next = Plug it in again and it is used at once, or choose another one.
reason-microphone_busy = Another program is using the microphone.
    .next = Close the other program, or choose another microphone in the settings.
reason-loudspeaker_busy = Another program is using the loudspeaker.
    .next = Close the other program, or choose another loudspeaker in the settings.
reason-microphone_denied = The system does not let Silbo use the microphone.
    .next = Let it in the privacy settings of the system, then try again.
reason-loudspeaker_denied = The system does not let Silbo use the loudspeaker.
    .next = Let it in the privacy settings of the system, then try again.
reason-sound_kept_out = Silbo cannot use the sound of this computer ({ $why }).
    .next = See that your home folder can be written and the disk is not full, then try once more.
reason-microphone_refused = The microphone you chose does not work here, or another program is using it. You go on with the one before.
    .next = Choose it again once it works, or another one.
reason-loudspeaker_refused = The loudspeaker you chose does not work here, or another program is using it. You go on with the one before.
    .next = Choose it again once it works, or another one.
reason-camera_missing = No camera was found.
    .next = Plug one in, then start video.
reason-camera_busy = Another program is using the camera.
    .next = Close the other program, then start video.
reason-camera_denied = The system does not let Silbo use the camera.
    .next = Ask whoever looks after this computer for the group “video”, then log out and in again.
reason-camera_silent = The camera gives no pictures any more.
    .next = Plug it in again, then start video.
reason-camera_unusable = The camera cannot be used ({ $why }).
    .next = Plug in another one, then start video.
reason-sharing_session = This desktop session lets no program show the screen.
    .next = Log out and choose the session called Xorg or X11 when you log in again, or share from another computer.
reason-sharing_whole = Windows cannot be shown alone on this desktop.
    .next = Share the whole screen.
reason-sharing_which = It is not clear which window is meant ({ $why }).
    .next = Choose one of those that are open.
reason-sharing_hidden = The window cannot be seen, so it is not shared.
    .next = Bring it up, then share it again.
reason-sharing_closed = The window that was shared is closed.
    .next = Share another window, or the whole screen.
reason-sharing_unusable = Nothing can be shared here ({ $why }).
    .next = Share from another computer.
reason-usage = Silbo cannot do that: { $why }
    .next = Try something else.
reason-not_built = { $what } is not built yet.
    .next = Wait for a later version of Silbo.
reason-no_such_name = Nobody has claimed the name “{ $name }”.
    .next = Check the spelling, or ask for the exact username.
reason-no_such_contact = “{ $name }” is not in the list.
    .next = Choose one of those on the left.
reason-name_ambiguous = Several people claim “{ $name }”: { $fingerprints }.
    .next = Ask which fingerprint is theirs, then search for the name and add that one.
reason-key_changed = “{ $name }” now belongs to another key ({ $found }) than your contact ({ $pinned }).
    .next = Look at the contact: there you decide which key you trust.
reason-blocked = You have blocked { $name }.
    .next = Unblock them first if you want to talk again.
reason-name_taken = Somebody else holds the name “{ $name }”.
    .next = Choose another name.
reason-name_looks_taken = Somebody else holds the name “{ $theirs }”, which looks like “{ $name }”.
    .next = Choose another name.
reason-name_not_held = { $held_by ->
    [one] Only { $held_by } computer of the network holds the name; { $needed } are needed.
   *[other] Only { $held_by } computers of the network hold the name; { $needed } are needed.
}
    .next = Try again in a minute.
reason-yourself = That is you.
    .next = Call Echo to hear yourself.
reason-no_network = No computer of the network can be reached.
    .next = Check your network connection; Silbo keeps trying.
reason-cannot_be_called = People cannot call you at the moment.
    .next = Look under “Network” for what to change.
reason-already_in_call = A call is already going on.
    .next = Hang up first.
reason-no_call = There is no call this could apply to.
    .next = Wait for a call, or place one.
reason-no_camera = Nobody is there to see you.
    .next = Call a person: Echo hears, but sees nothing.
reason-called_meanwhile = { $name } called.
    .next = You were in a call.
reason-full = The list is full: it holds at most { $most } entries.
    .next = Remove entries you no longer need.
reason-port_in_use = The port of { $address } is taken by another program.
    .next = Stop the program that uses it, then start Silbo again.
reason-port_forbidden = The system does not let Silbo listen on { $address }: ports below 1024 need a right.
    .next = Choose a port from 1024 on.
reason-not_our_address = No network interface of this computer has the address of { $address }.
    .next = Choose an address that this computer has.
reason-profile_locked = The profile { $path } is in use by another Silbo.
    .next = Close the other one, or choose another profile.
reason-too_many_attached = The Silbo that owns this profile is asked too much at once.
    .next = Try again in a moment.
reason-profile_unreadable = The profile { $path } cannot be used: { $why }.
    .next = Check that the folder exists, belongs to you and that the disk is not full.
reason-disk_full = The disk is full, so that nothing new can be kept.
    .next = Make room on the disk, then do it once more.
reason-profile_too_new = The profile { $path } was written by a later version of Silbo.
    .next = Update Silbo.
reason-database_damaged = The profile's database is damaged; it was set aside as { $moved_to }, nothing was deleted.
    .next = Go on with an empty database (your key is kept), or put a backup in its place.
reason-window = The window could not be opened: { $why }.
    .next = Start it within a desktop session.
reason-internal = Something went wrong: { $why }.
    .next = Try again; if it happens again, please report it.
reason-engine_busy = Silbo is busy and did not take that.
    .next = Please press again.

## Why a key, a passphrase, a backup or recovery words do not serve

custody-sealed = The profile { $path } is locked with a passphrase.
    .next = Start Silbo with the passphrase.
custody-wrong_passphrase = { $path } does not open with this passphrase, or was altered.
    .next = Try the passphrase it was sealed with; if that is the one, use another copy of the file.
custody-weak_passphrase = This passphrase is too easy to guess, or too long.
    .next = Choose several words that do not belong together: they are hard to guess and easy to keep.
custody-no_passphrase = A passphrase is needed.
    .next = Choose one, and keep it where you will find it again.
custody-passphrase_file = The passphrase cannot be read from { $path }: { $why }.
    .next = Check that this is the file, and that it is text.
custody-unreadable = { $path } cannot be read: { $why }.
    .next = Use another copy of the file.
custody-no_profile = There is no profile in { $path } yet.
    .next = Start Silbo once to make one.
custody-not_empty = { $path } holds somebody already; nothing is ever put in their place.
    .next = Choose an empty folder.
custody-file = The file { $path } cannot be used: { $why }.
    .next = Check its name, and that there is room and the right to write.
custody-file_exists = The file { $path } is there already; nothing was written.
    .next = Choose another name.
custody-words_number = There are 24 recovery words, and these are { $count }.
    .next = Compare them with what you wrote down.
# $places are numbers, separated by commas.
custody-words_unknown = These are not in the list of words: { $places }.
    .next = Look at how they are spelt where you wrote them down.
custody-words_checksum = Each word is in the list, but one of them is another than it was, or they stand in another order.
    .next = Compare them with what you wrote down.
custody-words_another = These are the words of somebody else.
    .next = Look for the paper that belongs to this profile.

## Why it cannot be said whether Silbo starts at login

autostart-unreadable = Whether Silbo starts when you log in could not be read from { $path }: { $why }.
    .next = Let your user read that file, then open Silbo again.
autostart-unwritable = What starts when you log in could not be changed in { $path }: { $why }.
    .next = Let your user write to that folder, then try again.
autostart-unnameable = The path { $path } has a sign that may not stand in the list of what starts when you log in.
    .next = Move it to a folder with a plainer name, then try again.

## Why no key mutes from other windows

mute_key-taken = Another program has taken { $keys }, so it does not mute from other windows.
    .next = Close that program or give it other keys; it works from the next call on. Ctrl+M mutes in this window.
mute_key-no_key = No key of this keyboard gives an M, so { $keys } does not mute from other windows.
    .next = Add a keyboard layout with Latin letters in the settings of your system.
mute_key-server = { $keys } does not mute from other windows: { $why }.
    .next = Ctrl+M mutes in this window. It is tried again in the next call.

## What a call waits for

waiting-reply = Nothing has come back from the other side yet.
    .next = It goes on trying; they may have just gone offline, or not know you yet.
waiting-path = No way between the two computers is found yet.
    .next = It goes on trying; some networks hold calls back, and then it takes longer.

## Why nobody can be reached

offline-nobody_known = No computer of the network is known.
    .next = Ask a friend for an invite and paste it into “Find or add a person”.
offline-nobody_answers = No computer of the network answers.
    .next = Check your network connection; Silbo keeps trying.
offline-incompatible = The computers that answer belong to another network or version.
    .next = Update Silbo, or ask a friend for a new invite.
offline-full = The computers that answer have no room.
    .next = Wait a minute; Silbo keeps trying.

## Why an invite does not serve

bad_invite-scheme = This is no invite: it does not begin as one.
    .next = Copy the link once more, all of it.
bad_invite-too_long = This is longer than any invite.
    .next = Copy the link once more, and nothing else.
bad_invite-malformed = This invite is not complete, or a character of it is wrong.
    .next = Copy the link once more, all of it.
bad_invite-version = This invite was made by a later version of Silbo.
    .next = Update Silbo.
bad_invite-network = This invite belongs to another network.
    .next = Ask your friend for a new one.
bad_invite-address = This invite names an address that nobody can be reached at.
    .next = Ask your friend for a new one.
bad_invite-signature = This invite was changed by somebody who did not make it.
    .next = Ask your friend for a new one, over another channel.
bad_invite-other = This invite cannot be used.
    .next = Ask your friend for a new one.

## How far this computer is on its way to help

standing-none = This computer does not offer to help others.
    .next = Choose above what it may do.
standing-proving = Fit to help; others try whether they reach this computer.
    .next = This takes a few minutes.
standing-stand_by = Fit to help and reachable; it will serve when it is needed.
    .next = Leave it on; it begins by itself.
standing-serving = This computer serves others.
    .next = Leave it on as long as you like.
standing-draining = This computer ceases to serve; whom it serves moves on.
    .next = Wait a minute before you switch it off.
standing-cooling_down = This computer has served, and rests.
    .next = Leave it on; it begins again by itself.
standing-on_battery = It does not help while it runs on its battery.
    .next = Plug it in; it goes on by itself.
standing-metered = It does not help because its traffic costs money.
    .next = Say below that your traffic is free, on a connection where it is.
standing-hours = It does not help now: this is outside the hours you chose.
    .next = Leave it on; it begins by itself.
standing-no_address = It does not help yet: helpers do not agree at which address they see it.
    .next = Wait a minute.
standing-uptime = It does not help yet: that takes two hours without a break, and 84 hours in a week.
    .next = Leave it on; it begins by itself.
standing-address_age = It does not help yet: its public address must have been the same for a day.
    .next = Leave it on; it begins by itself.
standing-upload = It does not help: its internet connection is too slow for what was agreed to, or nobody said how fast it is.
    .next = Say below how much it can send: 2 Mbit/s for keeping names, 10 Mbit/s for passing calls on.
standing-unreachable = It does not help: others cannot reach this computer from outside.
    .next = In the router, let devices open ports by themselves (UPnP), or set up port forwarding to this computer.
