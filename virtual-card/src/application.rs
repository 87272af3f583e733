//! What a card can hold several of: an application, selected by its
//! identifier (ISO/IEC 7816-4 section 12).

use crate::{Command, Response};

/// An application on a card.
pub trait Application: Send {
    /// The application identifier.
    fn aid(&self) -> &[u8];

    /// How many octets of the identifier SELECT needs at least.
    fn shortest_aid(&self) -> usize;

    /// SELECT of this application came, from another one or again: what it
    /// tells about itself.
    fn select(&mut self) -> Response;

    /// Another application was selected: what this one knew about who uses it
    /// is gone.
    fn deselect(&mut self);

    /// Answers a whole command: chaining is undone, and the class has no
    /// chaining bit. SELECT by identifier and GET RESPONSE do not come here.
    fn process(&mut self, command: &Command) -> Response;

    /// The card lost its power: what stands in volatile memory is gone.
    fn reset(&mut self);
}
