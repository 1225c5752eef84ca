//! A country as data: resident-number scheme, currency, wallet classes, institutions, sample city.
