//! record batches v2, CRC, codecs, ids and offsets as types, `config_def!`.
