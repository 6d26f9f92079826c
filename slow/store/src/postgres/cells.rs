//! Values as PostgreSQL's protocol has them.

use super::batch;
use crate::tables::Cell;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

impl ToSql for Cell<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match *self {
            Cell::Null => return Ok(IsNull::Yes),
            Cell::Integer(number) if *ty == Type::INT4 => {
                out.extend_from_slice(&i32::try_from(number)?.to_be_bytes());
            }
            Cell::Integer(number) => out.extend_from_slice(&number.to_be_bytes()),
            Cell::Real(number) => out.extend_from_slice(&number.to_be_bytes()),
            Cell::Text(text) => out.extend_from_slice(batch::words(text).as_bytes()),
            Cell::Bytes(bytes) => out.extend_from_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        let words = [Type::TEXT, Type::NAME, Type::BYTEA];
        [Type::INT8, Type::INT4, Type::FLOAT8].contains(ty) || words.contains(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(
        ty: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *ty {
            Type::BOOL => Cell::Integer(i64::from(bool::from_sql(ty, raw)?)),
            Type::INT2 => Cell::Integer(i16::from_sql(ty, raw)?.into()),
            Type::INT4 => Cell::Integer(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Cell::Integer(i64::from_sql(ty, raw)?),
            Type::FLOAT8 => Cell::Real(f64::from_sql(ty, raw)?),
            Type::BYTEA => Cell::Bytes(raw),
            _ => match std::str::from_utf8(raw)? {
                batch::NO_LETTER => Cell::Text("\0"),
                text => Cell::Text(text),
            },
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Cell::Null)
    }

    fn accepts(ty: &Type) -> bool {
        let known = [Type::BOOL, Type::INT2, Type::INT4, Type::INT8, Type::FLOAT8];
        let words = [
            Type::BYTEA,
            Type::TEXT,
            Type::VARCHAR,
            Type::NAME,
            Type::BPCHAR,
        ];
        known.contains(ty) || words.contains(ty)
    }
}
