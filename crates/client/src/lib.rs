//! network client, producer, consumer, share consumer, admin: a library users depend on.
