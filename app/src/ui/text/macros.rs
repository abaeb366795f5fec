//! How messages are declared: once, as the function that says them.

/// Declares groups of messages: a module per group, and a function per message, with the arguments of its pattern.
///
/// `texts` are single strings: `&'static str` without arguments, `String` with them. `sentences` are what happened and what
/// to do next, a [`Sentence`](crate::engine::view::Sentence). What is declared here is also listed, so that the tests ask
/// every language for all of it; the compiler finds what nobody says.
macro_rules! messages {
    (
        texts { $(
            $(#[$text_group_doc:meta])*
            $text_group:ident { $($text:ident $(($($text_argument:ident: $text_type:ty),+))?,)+ }
        )+ }
        sentences { $(
            $(#[$group_doc:meta])*
            $group:ident { $($sentence:ident $(($($argument:ident: $type:ty),+))?,)+ }
        )+ }
    ) => {
        $(
            $(#[$text_group_doc])*
            pub(in crate::ui) mod $text_group {
                $(text! { $text_group $text $(($($text_argument: $text_type),+))? })+
            }
        )+
        $(
            $(#[$group_doc])*
            pub(in crate::ui) mod $group {
                $(sentence! { $group $sentence $($($argument: $type),+)? })+
            }
        )+

        /// Every message, and its arguments.
        #[cfg(test)]
        pub(super) const ALL: &[Message] = &[
            $($(Message {
                id: id!($text_group $text),
                kind: Kind::Text,
                arguments: &[$($(stringify!($text_argument)),+)?],
            },)+)+
            $($(Message {
                id: id!($group $sentence),
                kind: Kind::Sentence,
                arguments: &[$($(stringify!($argument)),+)?],
            },)+)+
        ];

        /// What every function says on this thread, with some arguments.
        #[cfg(test)]
        pub(super) fn say_all() -> Vec<String> {
            let mut said = vec![
                $($(String::from($text_group::$text($($(<$text_type as Sample>::sample()),+)?)),)+)+
            ];
            $($(
                let sentence = $group::$sentence($($(<$type as Sample>::sample()),+)?);
                said.extend([sentence.message, sentence.next_step]);
            )+)+
            said
        }
    };
}

/// The name of a message in the catalogues.
macro_rules! id {
    ($group:ident $name:ident) => {
        concat!(stringify!($group), "-", stringify!($name))
    };
}

/// The function that says a text.
macro_rules! text {
    ($group:ident $name:ident) => {
        pub(in crate::ui) fn $name() -> &'static str {
            $crate::ui::text::catalogue::spoken().plain(id!($group $name))
        }
    };
    ($group:ident $name:ident($($argument:ident: $type:ty),+)) => {
        pub(in crate::ui) fn $name($($argument: $type),+) -> String {
            let arguments = [$((stringify!($argument), $argument.into())),+];
            $crate::ui::text::catalogue::spoken().text(id!($group $name), &arguments)
        }
    };
}

/// The function that says what happened and what to do next.
macro_rules! sentence {
    ($group:ident $name:ident $($argument:ident: $type:ty),*) => {
        pub(in crate::ui) fn $name($($argument: $type),*) -> $crate::engine::view::Sentence {
            let arguments = [$((stringify!($argument), $argument.into())),*];
            $crate::ui::text::catalogue::spoken().sentence(id!($group $name), &arguments)
        }
    };
}
