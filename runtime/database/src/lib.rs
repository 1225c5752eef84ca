//! Relational records: connection, migrations, sealed personal data.
