/* Append, commit, claim, acknowledge, adopt, repair, end of stream; deaths between any two stores.
 *
 * Two producers, two consumers of one group, a ring with room for two messages and the header behind
 * them. Each STEP is one store to shared memory (or one compare-exchange), and before each of them
 * the process may die. Positions are counted in messages. */

#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef EACH
#define EACH 2                     /* messages per producer */
#endif
#define SLOTS 3                    /* of the ring: two messages, and the next header */
#define ALL (2 * EACH)
#define MEMBERS 4                  /* 0, 1: producers; 2, 3: consumers */
#define nobody 255

#define nothing 0
#define busy 1
#define committed 2
#define discarded 3

/* The segment. */
byte word[SLOTS];                  /* state of the header in that place */
byte owner[SLOTS];                 /* whose message it is */
byte number[SLOTS];                /* its sequence */
byte payload[SLOTS];               /* which message: 1 ... ALL; 0: half-written */
byte tail_lock = nobody, tail, sequence;
byte group_lock = nobody, claim, released;
byte lease_begin[MEMBERS], lease_end[MEMBERS], lease_owner[MEMBERS], attempts[MEMBERS];
bool is_producer[MEMBERS];         /* the role in the member table */
bool truncated;

/* The kernel: who holds his byte. */
bool alive[MEMBERS];

/* What really happened; the protocol does not look at these. */
byte deaths;
bool was_committed[ALL + 1];
byte deliveries[ALL + 1];
bool a_producer_died;
byte living_consumers = 2;

inline die() {
    deaths++;
    alive[me] = false;
    if
    :: me < 2 && is_producer[me] -> a_producer_died = true
    :: me >= 2 -> living_consumers--
    :: else
    fi;
    goto dead
}
#define STEP(what) if :: atomic { deaths < DEATHS -> die() } :: atomic { what } fi

#define place(position) ((position) % SLOTS)
#define holds(m) (lease_begin[m] < lease_end[m])
#define orphan(m) (holds(m) && (lease_owner[m] == nobody || !alive[lease_owner[m]]))
#define any_orphan (orphan(2) || orphan(3))
#define attached(m) (is_producer[m] && alive[m])

/* ------------------------------------------------------------ owner_lock */

inline acquire(lock) {
    if
    :: atomic { lock == nobody -> lock = me; recovered = false }
    /* From the dead owner's exact word. */
    :: atomic { lock != nobody && lock != me && !alive[lock] -> lock = me; recovered = true }
    fi
}

/* append_lock::repair: the tail walks over every header that is not 0. */
inline repair_tail() {
    end = tail;
    last = sequence;
#ifndef FAULT_NO_TAIL_REPAIR
    do
    :: atomic { word[place(end)] != nothing && end - tail < SLOTS ->
                last = number[place(end)] + 1; end++ }
    :: atomic { word[place(end)] == nothing || end - tail >= SLOTS -> break }
    od;
    STEP(sequence = last; last = 0);
    STEP(tail = end; end = 0)
#endif
}

/* group_lock::repair: twins apart, the claim behind every lease. */
inline repair_group() {
#ifndef FAULT_NO_GROUP_REPAIR
    atomic {
        twins = holds(2) && holds(3) && lease_begin[2] == lease_begin[3];
        fewer = (attempts[2] < attempts[3] -> 2 : 3)
    }
    if
    :: twins && (lease_owner[fewer] == nobody || !alive[lease_owner[fewer]]) ->
       STEP(lease_end[fewer] = 0)
    :: else
    fi;
    atomic { twins = false; fewer = 0 }
    STEP(claim = (holds(2) && lease_end[2] > claim -> lease_end[2] : claim);
         claim = (holds(3) && lease_end[3] > claim -> lease_end[3] : claim));
#endif
    recompute_released()
}

inline recompute_released() {
    /* `begin` only grows: read too early, it releases too little. */
    atomic {
        least = claim;
        least = (holds(2) && lease_begin[2] < least -> lease_begin[2] : least);
        least = (holds(3) && lease_begin[3] < least -> lease_begin[3] : least)
    }
    STEP(released = (least > released -> least : released); least = 0)
}

inline lock_tail() {
    acquire(tail_lock);
    if :: recovered -> repair_tail() :: else fi
}
inline lock_group() {
    acquire(group_lock);
    if :: recovered -> repair_group() :: else fi
}

/* ------------------------------------------------------------ append_end */

#define has_room (tail + 2 <= released + SLOTS)

/* send_until, below 4 KiB: all of it under the lock. */
inline send_copied(id) {
    at = tail;
    /* Nobody reads these before the commit point: one step. */
    STEP(number[place(at)] = sequence; owner[place(at)] = me; payload[place(at)] = id);
#ifndef FAULT_NEXT_NOT_ZEROED
    STEP(word[place(at + 1)] = nothing);
#endif
#ifdef FAULT_TAIL_BEFORE_COMMIT
    STEP(sequence = sequence + 1);
    STEP(tail = at + 1);
    STEP(word[place(at)] = committed; was_committed[id] = true);
#else
    STEP(word[place(at)] = committed; was_committed[id] = true);   /* the commit point */
    STEP(sequence = sequence + 1);
    STEP(tail = at + 1);
#endif
    STEP(tail_lock = nobody)
}

/* A loan: busy under the lock, written and committed outside of it. */
inline send_lent(id) {
    at = tail;
    STEP(number[place(at)] = sequence; owner[place(at)] = me; payload[place(at)] = 0);
    STEP(word[place(at + 1)] = nothing);
    STEP(word[place(at)] = busy);
    STEP(sequence = sequence + 1);
    STEP(tail = at + 1);
    STEP(tail_lock = nobody);
    STEP(payload[place(at)] = id);
    /* A compare-exchange from busy: nobody discards what the living hold. */
    STEP(assert(word[place(at)] == busy); word[place(at)] = committed; was_committed[id] = true)
}

/* press_groups: whoever is blocked recomputes `released` himself. */
inline wait_for_room() {
    do
    :: atomic { has_room -> break }
    :: !has_room ->
       STEP(tail_lock = nobody);
       lock_group();
       recompute_released();
       STEP(group_lock = nobody);
       /* Asleep until there may be room. */
       atomic { (released + SLOTS >= tail + 2) || living_consumers == 0 ||
                ((!holds(2) || lease_begin[2] > released) &&
                 (!holds(3) || lease_begin[3] > released) && claim > released) };
       if :: atomic { living_consumers == 0 -> goto done } :: else fi;
       lock_tail()
    od
}

proctype producer(byte me) {
    bool recovered, twins;
    byte end, last, at, least, fewer, sent;
    do
    :: sent < EACH ->
       lock_tail();
       wait_for_room();
       if
       :: true -> send_copied(1 + me * EACH + sent)
       :: true -> send_lent(1 + me * EACH + sent)
       fi;
       sent++
    :: else -> break
    od;
done:
    /* A clean leave: the role first, then the byte. */
    STEP(is_producer[me] = false);
dead:
    alive[me] = false
}

/* ------------------------------------------------------------ claim_end */

/* Reads the message at `at`, as the holder of a lease does. */
inline deliver() {
    atomic {
        if
        :: word[place(at)] == committed ->
           id = payload[place(at)];
           assert(id != 0 && was_committed[id]);          /* whole, and nothing but what was sent */
           assert(deliveries[id] == 0 || attempts[me] > 0);   /* twice only if marked */
           deliveries[id]++;
           /* First deliveries of one consumer come in the order of the ring. */
           if
           :: attempts[me] == 0 -> assert(at >= seen_to); seen_to = at + 1
           :: else
           fi;
           id = 0
        :: else -> assert(word[place(at)] == discarded)
        fi
    }
}

inline work_through_lease() {
    do
    :: lease_begin[me] < lease_end[me] ->
       at = lease_begin[me];
#ifdef FAULT_ACKNOWLEDGE_FIRST
       STEP(lease_begin[me] = at + 1);
       if :: word[place(at)] != nothing && word[place(at)] != busy -> deliver() :: else fi
#else
       deliver();
       STEP(lease_begin[me] = at + 1);
#endif
       atomic { attempts[me] = 0 }                        /* the count belongs to the first one */
    :: else -> break
    od
}

inline adopt(from) {
    STEP(lease_end[me] = 0);
    STEP(lease_begin[me] = lease_begin[from]);
    STEP(attempts[me] = attempts[from] + 1);
    STEP(lease_owner[me] = me);
    STEP(lease_end[me] = lease_end[from]);
#ifndef FAULT_OLD_LEASE_STAYS
    STEP(lease_end[from] = 0)
#endif
}

inline lease_next() {
    STEP(attempts[me] = 0);
    STEP(lease_end[me] = 0);
    STEP(lease_begin[me] = claim);
    /* One message, or two. */
    end = claim + 1;
    if
    :: atomic { word[place(end)] >= committed && end < claim + SLOTS - 1 -> end++ }
    :: true
    fi;
#ifdef FAULT_CLAIM_BEFORE_LEASE
    STEP(claim = end);
    STEP(lease_end[me] = end);
#else
    STEP(lease_end[me] = end);
    STEP(claim = end);
#endif
    end = 0;
    recompute_released()
}

/* look_for_end: producers first, the header after them. */
inline a_producer_is_attached() {
    attached_any = false;
    if
    :: atomic { attached(0) -> attached_any = true }
    :: atomic { is_producer[0] && !alive[0] -> truncated = true }
    :: atomic { !is_producer[0] }
    fi;
    if
    :: atomic { attached(1) -> attached_any = true }
    :: atomic { is_producer[1] && !alive[1] -> truncated = true }
    :: atomic { !is_producer[1] }
    fi
}

inline discard_dead() {
    lock_tail();
    if
    :: atomic { word[place(claim)] == busy && claim < tail && !alive[owner[place(claim)]] ->
                word[place(claim)] = discarded }
    :: else
    fi;
    STEP(tail_lock = nobody)
}

#define settled (word[place(claim)] >= committed)
#define half_written (word[place(claim)] == busy && !alive[owner[place(claim)]])
#define nobody_writes (!attached(0) && !attached(1))

proctype consumer(byte me; byte other) {
    bool recovered, twins, attached_any;
    byte end, last, at, least, fewer, id, seen_to;
    lease_owner[me] = me;
    do
    :: true ->
       /* Asleep, or looking: until there is something to do. */
       atomic { settled || any_orphan || half_written || nobody_writes };
       if
       :: half_written -> discard_dead()
       :: else ->
          a_producer_is_attached();
          lock_group();
          if
          :: orphan(other) ->
             adopt(other);
             STEP(group_lock = nobody);
             work_through_lease()
          :: !orphan(other) && settled ->
             lease_next();
             STEP(group_lock = nobody);
             work_through_lease()
          :: !orphan(other) && !settled ->
             if
#ifdef FAULT_END_BEFORE_ACKNOWLEDGED
             :: atomic { !attached_any && word[place(claim)] == nothing ->
#else
             :: atomic { !attached_any && word[place(claim)] == nothing && !holds(other) ->
#endif
                /* The end is reported: nothing that was committed is missing, and nothing that is
                   missing goes unsaid. */
                byte each;
                for (each : 1 .. ALL) {
                    assert(!was_committed[each] || deliveries[each] > 0)
                }
                each = 0;
#ifdef FAULT_NO_TRUNCATION
                truncated = false;
#endif
                assert(truncated || !a_producer_died) }
                STEP(group_lock = nobody);
                break
             :: else -> STEP(group_lock = nobody)
             fi
          fi
       fi
    od;
dead:
    alive[me] = false
}

init {
    atomic {
        byte each;
        for (each : 0 .. MEMBERS - 1) { alive[each] = true; lease_owner[each] = nobody }
        is_producer[0] = true;
        is_producer[1] = true;
        run producer(0);
        run producer(1);
        run consumer(2, 3);
        run consumer(3, 2)
    }
}
