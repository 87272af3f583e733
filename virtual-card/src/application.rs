//! What a card can hold several of: an application, selected by its
//! identifier (ISO/IEC 7816-4 section 12).

use crate::{Command, Response};

/// An application on a card.
pub trait Application: Send {
    /// The application identifier.
    fn aid(&self) -> &[u8];

    /// How many octets of the identifier SELECT needs at least.
    fn shortest_aid(&self) -> usize;

    /// Whether SELECT is answered with data even where it has no Le, as many
    /// Java cards do over T=1; else the host is told to ask for it.
    fn tells_unasked(&self) -> bool {
        false
    }

    /// SELECT of this application came, from another one or again: what it
    /// tells about itself.
    fn select(&mut self) -> Response;

    /// SELECT by a name that is no application's came while this one is
    /// selected: the answer, where the name is that of one of its dedicated
    /// files.
    fn select_file(&mut self, name: &[u8], p2: u8) -> Option<Response> {
        let _ = (name, p2);
        None
    }

    /// Another application was selected: what this one knew about who uses it
    /// is gone.
    fn deselect(&mut self);

    /// Answers a whole command: chaining is undone, and the class has no
    /// chaining bit. SELECT by identifier and GET RESPONSE do not come here.
    fn process(&mut self, command: &Command) -> Response;

    /// Something came that is no command of this application, or no command
    /// at all: what must stand immediately before something else does not.
    fn interrupt(&mut self) {}

    /// The card lost its power: what stands in volatile memory is gone.
    fn reset(&mut self);
}
