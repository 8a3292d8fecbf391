//! Empty as yet. The network client will be here, with producer, consumer, share consumer and admin on it: a library that
//! applications depend on.
