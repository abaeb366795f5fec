//! What a name looks like at a glance: names with one skeleton are one name to the eye, and to the directory.

use std::fmt;

use super::{Username, is_separator};

/// A username without what people overlook: separators dropped, letters and digits that look alike made one.
///
/// ```text
/// 0 → o      1, i → l      m → rn      w → vv      . _ - → nothing
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Skeleton(String);

impl Skeleton {
    pub(super) fn of(name: &Username) -> Self {
        let mut skeleton = String::with_capacity(name.as_str().len());
        for letter in name.as_str().chars().filter(|c| !is_separator(*c)) {
            match letter {
                '0' => skeleton.push('o'),
                '1' | 'i' => skeleton.push('l'),
                'm' => skeleton.push_str("rn"),
                'w' => skeleton.push_str("vv"),
                other => skeleton.push(other),
            }
        }
        Self(skeleton)
    }

    /// The letters that are left.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Skeleton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skeleton(name: &str) -> Skeleton {
        Username::parse(name).unwrap().skeleton()
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton_and_others_do_not() {
        for (one, other) in [
            ("alice", "al1ce"),
            ("alice", "a.l-i_ce"),
            ("alice", "allce"),
            ("bob", "b0b"),
            ("mary", "rnary"),
            ("willow", "vvlll0vv"),
        ] {
            assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
        }
        for (one, other) in [("alice", "alic"), ("bob", "bab"), ("mary", "nary"), ("ada2", "adaz")] {
            assert_ne!(skeleton(one), skeleton(other), "{one} {other}");
        }
        assert_eq!(skeleton("m1.w0").as_str(), "rnlvvo");
    }

    #[test]
    fn numbers_stay_different() {
        let names = (0..2_000).map(|n| skeleton(&format!("person-{n}")));
        assert_eq!(names.collect::<std::collections::BTreeSet<_>>().len(), 2_000);
    }
}
