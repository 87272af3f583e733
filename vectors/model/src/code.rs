//! Stable codes of the corpus: an enum whose written form is a kebab-case word.

/// Makes a plain enum with its codes, `Display` and serde in one place.
macro_rules! codes {
    (
        $(#[$meta:meta])*
        $name:ident {
            $( $(#[$row:meta])* $variant:ident = $code:literal, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[non_exhaustive]
        pub enum $name { $( $(#[$row])* #[serde(rename = $code)] $variant, )+ }

        impl $name {
            /// Every row, in order.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The word, as it is written in files.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $( Self::$variant => $code, )+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.code())
            }
        }
    };
}

pub(crate) use codes;
