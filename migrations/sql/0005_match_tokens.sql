-- Token vectors of profiles, for late interaction, and how many outcomes have each token.
alter table match_passage
    -- Codes of four bits, row after row; null in what an earlier version wrote.
    add column token_vectors bytea,
    add column token_rows integer,
    -- Of a need, the token of each row; of an outcome, its distinct tokens.
    add column token_ids integer[],
    -- Of a need, the passage of each row.
    add column token_passages integer[];
-- Codes do not compress; trying costs time at every write.
alter table match_passage alter column token_vectors set storage external;

create table match_token (
    model_id bigint not null references embedding_model on delete cascade,
    token integer not null,
    outcomes integer not null,
    primary key (model_id, token)
) with (fillfactor = 50); -- counters: room for the next version of a row on its page
