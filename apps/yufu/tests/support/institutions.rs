//! Institutions of the sample country that these tests go to.

/// The identity authority.
pub const AUTHORITY: &str = "identity-authority";
/// A hotel, which registers its guests and is paid in the same tap.
pub const HOTEL: &str = "yellow-crane-hotel";
/// A wallet provider.
pub const PROVIDER: &str = "jiangcheng-pay";
/// A railway.
pub const RAILWAY: &str = "jingguang-railway";
/// A shop, which may ask whether somebody is sixteen, and keeps the result.
pub const SHOP: &str = "donghu-bicycles";
