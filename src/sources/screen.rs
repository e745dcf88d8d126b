//! Which documents of history are worth a visit.

use crate::model::Copied;

/// Tells quickly, for a text of history, whether a visit could find anything.
pub trait Screen: Sync {
    /// What is kept of a screened text so that texts made out of it cost only what they add.
    type Marks: Send + Sync + 'static;

    /// Whether the text may hold anything at all: `false` promises that a visit finds nothing.
    fn screen(&self, text: &[u8]) -> (Self::Marks, bool);

    /// The same for a text of which parts are copied from a base: equal to [`Screen::screen`] in what it promises.
    fn screen_derived(
        &self,
        text: &[u8],
        base: &Self::Marks,
        copied: &[Copied],
    ) -> (Self::Marks, bool);
}

/// Lets every document be visited.
#[derive(Clone, Copy, Debug, Default)]
pub struct Everything;

impl Screen for Everything {
    type Marks = ();

    fn screen(&self, _: &[u8]) -> ((), bool) {
        ((), true)
    }

    fn screen_derived(&self, _: &[u8], (): &(), _: &[Copied]) -> ((), bool) {
        ((), true)
    }
}
