//! A table's entity in a few lines, for records whose tables stand alone.

/// Defines a module with the sea-orm entity of a table: `table!(module, "table", { column: Type, ... })`.
/// Attributes on a column are passed on. Times are columns of `i64`, milliseconds since the epoch. The crate
/// that uses it depends on sea-orm.
#[macro_export]
macro_rules! table {
    ($module:ident, $name:literal, { $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)? }) => {
        #[allow(unreachable_pub, reason = "sea-orm derives public items from public ones")]
        pub(crate) mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $name)]
            pub struct Model {
                $($(#[$meta])* pub $field: $type),*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}
