//! The macros that turn a protocol's table into views, encoders and rows for `docs/wire.md`.
//!
//! A message is written `Name = b'A', 36, fixed { 1 field: kind, ... }` with a doc comment on the
//! message and on each field; `tagged` instead of `fixed` says that an appendage length and OUCH's
//! optional elements follow. Integers are big-endian. That the offsets are dense is checked when
//! the table is compiled, so a getter never leaves its message.

/// What the views of both shapes share: the row and the getters.
macro_rules! view_fields {
    ($name:ident { $($(#[doc = $doc:literal])+ $offset:literal $field:ident: $as:ident,)* }) => {
        impl<'a> $name<'a> {
            $(
                $(#[doc = $doc])+
                #[inline]
                #[must_use]
                pub fn $field(&self) -> value_type!($as) {
                    value_from!($as, $crate::field::take(self.fixed, $offset))
                }
            )*

            /// Its fixed bytes, from the type byte on.
            #[inline]
            #[must_use]
            pub fn fixed_bytes(&self) -> &'a [u8] {
                self.fixed
            }

            /// Every field, read.
            #[must_use]
            pub fn fields(&self) -> fields::$name {
                fields::$name { $($field: self.$field(),)* }
            }
        }
    };
}

/// The row of a message, checked to be dense.
macro_rules! message_row {
    (
        $shape:ident $tail:tt $(#[doc = $mdoc:literal])+ $name:ident = $kind:literal, $bytes:literal
        { $($(#[doc = $doc:literal])+ $offset:literal $field:ident: $as:ident,)* }
    ) => {
        impl $name<'_> {
            /// The type byte.
            pub const KIND: u8 = $kind;

            /// Size of its fixed bytes.
            pub const BYTES: usize = $bytes;

            /// Its row of the table.
            pub const ROW: $crate::MessageRow = $crate::MessageRow {
                name: stringify!($name),
                kind: $kind,
                bytes: $bytes,
                tagged: message_row!(@is_tagged $shape),
                meaning: concat!($($mdoc),+),
                fields: &message_row!(@rows $tail $($(#[doc = $doc])+ $offset $field: $as,)*),
            };
        }

        const _: () = assert!($crate::field::is_dense(&$name::ROW));
    };
    (@is_tagged fixed) => { false };
    (@is_tagged tagged) => { true };
    (
        @rows { $($(#[doc = $tdoc:literal])+ $toffset:expr, $tfield:ident: $tas:ident,)* }
        $($(#[doc = $doc:literal])+ $offset:literal $field:ident: $as:ident,)*
    ) => {
        [
            $($crate::FieldRow {
                offset: $offset,
                bytes: value_bytes!($as),
                name: stringify!($field),
                kind: stringify!($as),
                meaning: concat!($($doc),+),
            },)*
            $($crate::FieldRow {
                offset: $toffset,
                bytes: value_bytes!($tas),
                name: stringify!($tfield),
                kind: stringify!($tas),
                meaning: concat!($($tdoc),+),
            },)*
        ]
    };
}

/// The view of one message.
macro_rules! view {
    (
        $protocol:expr, fixed, $(#[doc = $doc:literal])+ $name:ident = $kind:literal,
        $bytes:literal, { $($body:tt)* }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a> {
            fixed: &'a [u8; $bytes],
        }

        impl<'a> $name<'a> {
            fn parse(bytes: &'a [u8]) -> Result<Self, $crate::Error> {
                match bytes.try_into() {
                    Ok(fixed) => Ok(Self { fixed }),
                    Err(_) => Err(wrong_length($kind, $bytes, bytes.len())),
                }
            }

            /// Writes the message from its read fields and returns its length.
            ///
            /// # Errors
            /// [`Fault::Room`](crate::Fault::Room) when `out` is too short.
            pub fn encode(&self, out: &mut [u8]) -> Result<usize, $crate::Error> {
                self.fields().encode(out)
            }
        }

        message_row! { fixed {} $(#[doc = $doc])+ $name = $kind, $bytes { $($body)* } }
        view_fields! { $name { $($body)* } }
    };
    (
        $protocol:expr, tagged, $(#[doc = $doc:literal])+ $name:ident = $kind:literal,
        $bytes:literal, { $($body:tt)* }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a> {
            fixed: &'a [u8; $bytes],
            tags: $crate::ouch::Tags<'a>,
        }

        impl<'a> $name<'a> {
            fn parse(bytes: &'a [u8]) -> Result<Self, $crate::Error> {
                let Some((fixed, appendage)) = bytes.split_first_chunk() else {
                    return Err(wrong_length($kind, $bytes, bytes.len()));
                };
                let announced = u16::from_be_bytes($crate::field::take(fixed, $bytes - 2));
                if usize::from(announced) != appendage.len() {
                    let expected = $bytes + usize::from(announced);
                    return Err(wrong_length($kind, expected, bytes.len()));
                }
                let tags = $crate::ouch::Tags::parse(appendage).map_err(|e| e.at($bytes))?;
                Ok(Self { fixed, tags })
            }

            /// The optional elements, in the order of the message.
            #[inline]
            #[must_use]
            pub fn tags(&self) -> $crate::ouch::Tags<'a> {
                self.tags
            }

            /// Writes the message from its read fields and elements and returns its length.
            ///
            /// # Errors
            /// [`Fault::Room`](crate::Fault::Room) when `out` is too short.
            pub fn encode(&self, out: &mut [u8]) -> Result<usize, $crate::Error> {
                self.fields().encode_with(self.tags, out)
            }
        }

        message_row! {
            tagged {
                /// Length of the appendage that follows.
                $bytes - 2, appendage_length: u16,
            }
            $(#[doc = $doc])+ $name = $kind, $bytes { $($body)* }
        }
        view_fields! { $name { $($body)* } }
    };
}

/// The plain fields of one message and how they are written.
macro_rules! plain {
    (
        $protocol:expr, $shape:ident, $(#[doc = $mdoc:literal])+ $name:ident = $kind:literal,
        $bytes:literal,
        { $($(#[doc = $doc:literal])+ $offset:literal $field:ident: $as:ident,)* }
    ) => {
        $(#[doc = $mdoc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: value_type!($as),)*
        }

        impl $name {
            fn write_fixed(&self, out: &mut [u8]) -> Result<(), $crate::Error> {
                let room = out.len();
                let Some(fixed) = out.first_chunk_mut::<$bytes>() else {
                    return Err(super::no_room($kind, $bytes, room));
                };
                fixed[0] = $kind;
                $(
                    value_check!($as, self.$field, $kind, $offset);
                    $crate::field::put(fixed, $offset, &value_into!($as, self.$field));
                )*
                Ok(())
            }
        }

        plain! { @encode $shape $name $kind $bytes }
    };
    (@encode fixed $name:ident $kind:literal $bytes:literal) => {
        impl $name {
            /// Writes the message to the front of `out` and returns its length.
            ///
            /// # Errors
            /// [`Fault::Room`](crate::Fault::Room) when `out` is too short,
            /// [`Fault::Range`](crate::Fault::Range) when a value does not fit into its field.
            pub fn encode(&self, out: &mut [u8]) -> Result<usize, $crate::Error> {
                self.write_fixed(out)?;
                Ok($bytes)
            }
        }
    };
    (@encode tagged $name:ident $kind:literal $bytes:literal) => {
        impl $name {
            /// Writes the message without optional elements and returns its length.
            ///
            /// # Errors
            /// [`Fault::Room`](crate::Fault::Room) when `out` is too short.
            pub fn encode(&self, out: &mut [u8]) -> Result<usize, $crate::Error> {
                self.encode_with([], out)
            }

            /// Writes the message and its optional elements and returns its length.
            ///
            /// # Errors
            /// [`Fault::Room`](crate::Fault::Room) when `out` is too short,
            /// [`Fault::TooLong`](crate::Fault::TooLong) when the elements pass what the
            /// appendage length can say or one of unknown tag what its length byte can.
            pub fn encode_with<'t>(
                &self,
                tags: impl IntoIterator<Item = $crate::ouch::Tag<'t>>,
                out: &mut [u8],
            ) -> Result<usize, $crate::Error> {
                self.write_fixed(out)?;
                let (fixed, appendage) = out.split_at_mut($bytes);
                let length = $crate::ouch::Tag::encode_all(tags, appendage)
                    .map_err(|e| e.at($bytes))?;
                $crate::field::put(fixed, $bytes - 2, &length.to_be_bytes());
                Ok($bytes + usize::from(length))
            }
        }
    };
}

/// A protocol's messages: a view each, plain `fields` each, and the enum of all views.
macro_rules! messages {
    (
        $(#[doc = $edoc:literal])+ $enum:ident, $protocol:literal, { $($header:tt)* }
        $($(#[doc = $doc:literal])+ $name:ident = $kind:literal, $bytes:literal, $shape:ident
          { $($body:tt)* })+
    ) => {
        messages! {
            @with { $($header)* } $(#[doc = $edoc])+ $enum, $protocol,
            $($(#[doc = $doc])+ $name = $kind, $bytes, $shape { $($body)* })+
        }
    };
    (
        @with $header:tt $(#[doc = $edoc:literal])+ $enum:ident, $protocol:literal,
        $($(#[doc = $doc:literal])+ $name:ident = $kind:literal, $bytes:literal, $shape:ident
          $body:tt)+
    ) => {
        const fn wrong_length(kind: u8, expected: usize, found: usize) -> $crate::Error {
            let fault = $crate::Fault::Length;
            $crate::Error { protocol: $protocol, fault, kind, offset: 0, expected, found }
        }

        const fn no_room(kind: u8, expected: usize, found: usize) -> $crate::Error {
            let fault = $crate::Fault::Room;
            $crate::Error { protocol: $protocol, fault, kind, offset: 0, expected, found }
        }

        #[allow(dead_code, reason = "only a protocol with u48 fields can refuse a value")]
        const fn too_great(kind: u8, offset: usize, value: u64) -> $crate::Error {
            let (fault, expected, found) = ($crate::Fault::Range, (1 << 48) - 1, value as usize);
            $crate::Error { protocol: $protocol, fault, kind, offset, expected, found }
        }

        $(joined! {
            view $protocol, $shape, $header $body $(#[doc = $doc])+ $name = $kind, $bytes
        })+

        /// The messages as plain fields, to be filled in and written.
        pub mod fields {
            $(joined! {
                plain $protocol, $shape, $header $body $(#[doc = $doc])+ $name = $kind, $bytes
            })+
        }

        $(#[doc = $edoc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum<'a> {
            $($(#[doc = $doc])+ $name($name<'a>),)+
        }

        impl<'a> $enum<'a> {
            /// Every message of the table, in its order.
            pub const TABLE: &'static [$crate::MessageRow] = &[$($name::ROW),+];

            /// Reads the one message that `bytes` holds.
            ///
            /// # Errors
            /// [`Fault::Empty`](crate::Fault::Empty),
            /// [`Fault::UnknownType`](crate::Fault::UnknownType), which a reader may skip,
            /// [`Fault::Length`](crate::Fault::Length) when `bytes` are not as many as the type
            /// says, and [`Fault::Tag`](crate::Fault::Tag) or
            /// [`Fault::Truncated`](crate::Fault::Truncated) for a bad appendage.
            #[inline]
            pub fn parse(bytes: &'a [u8]) -> Result<Self, $crate::Error> {
                match bytes.first() {
                    $(Some(&$kind) => $name::parse(bytes).map(Self::$name),)+
                    other => Err($crate::Error {
                        protocol: $protocol,
                        fault: match other {
                            Some(_) => $crate::Fault::UnknownType,
                            None => $crate::Fault::Empty,
                        },
                        kind: other.copied().unwrap_or(0),
                        offset: 0,
                        expected: 1,
                        found: bytes.len(),
                    }),
                }
            }

            /// The type byte.
            #[must_use]
            pub fn kind(&self) -> u8 {
                match self {
                    $(Self::$name(_) => $kind,)+
                }
            }

            /// Its fixed bytes, from the type byte on.
            #[must_use]
            pub fn fixed_bytes(&self) -> &'a [u8] {
                match self {
                    $(Self::$name(view) => view.fixed_bytes(),)+
                }
            }

            /// Writes the message again, field by field, and returns its length.
            ///
            /// # Errors
            /// [`Fault::Room`](crate::Fault::Room) when `out` is too short.
            pub fn encode(&self, out: &mut [u8]) -> Result<usize, $crate::Error> {
                match self {
                    $(Self::$name(view) => view.encode(out),)+
                }
            }
        }
    };
}

/// Puts the fields that all messages share before a message's own.
macro_rules! joined {
    (
        $macro:ident $protocol:expr, $shape:ident, { $($header:tt)* } { $($body:tt)* }
        $(#[doc = $doc:literal])+ $name:ident = $kind:literal, $bytes:literal
    ) => {
        $macro! {
            $protocol, $shape, $(#[doc = $doc])+ $name = $kind, $bytes,
            { $($header)* $($body)* }
        }
    };
}
