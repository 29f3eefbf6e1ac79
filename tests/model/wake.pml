/* Sleep and wake: two senders, two consumers of one group, messages as a mere count.
 *
 * wait_word (a futex word: epoch and "someone sleeps") and the ring's mask of groups with sleepers, of
 * which the one group's bit is modelled. A sleeper's liveness interval is spin's `timeout`: it comes when
 * nothing else can happen. Without deaths it must never come; each death is worth one. */

#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef EACH
#define EACH 2                     /* messages per sender */
#endif
#ifndef SENDERS
#define SENDERS 2
#endif
#define EPOCHS 12                  /* the epoch, modulo: more than may pass while one sleeper looks */

byte there;                        /* committed and not yet claimed */
byte left = SENDERS * EACH;              /* not yet sent, or lost with a dead sender */
byte epoch;
bool someone_sleeps;
bool group_bit;                    /* of the mask of groups with sleepers */
bool asleep[2];
byte deaths, timeouts;

inline die() {
    deaths++;
    goto dead
}
#define STEP(what) if :: atomic { deaths < DEATHS -> die() } :: atomic { what } fi

/* wait_word::wake(word, 1), then: nobody slept? Take the bit back, if nothing changed meanwhile. */
inline wake_one() {
    STEP(epoch = (epoch + 1) % EPOCHS; seen = epoch);
    if
    :: atomic { asleep[0] -> asleep[0] = false }
    :: atomic { asleep[1] -> asleep[1] = false }
    :: atomic { !asleep[0] && !asleep[1] -> nobody_slept = true }
    fi;
    if
    :: nobody_slept ->
       STEP(someone_sleeps = (epoch == seen -> false : someone_sleeps))
    :: else
    fi;
    atomic { nobody_slept = false; seen = 0 }
}

proctype sender() {
    byte seen, sent;
    bool nobody_slept, had;
    do
    :: sent < EACH ->
       STEP(there++; left--; sent++);                   /* the commit */
#ifndef FAULT_NO_WAKE
       if
       :: group_bit ->                                       /* behind the fence */
          STEP(had = group_bit; group_bit = false);
          if :: had -> wake_one() :: else fi;
          had = false
       :: else
       fi
#endif
    :: else -> break
    od;
    goto over;
dead:
    left = left - (EACH - sent);
over: skip
}

/* claim_end::pass_on_wake: there may be others asleep, and messages for them. */
inline pass_on() {
#ifndef FAULT_NOT_PASSED_ON
    if
    :: someone_sleeps ->
       if
       :: there == 0 ->
          STEP(group_bit = true);
          if :: there > 0 -> wake_one() :: else fi
       :: else -> wake_one()
       fi
    :: else
    fi
#else
    skip
#endif
}

proctype consumer(byte me) {
    byte seen, expected;
    bool nobody_slept, got;
    do
    :: left == 0 && there == 0 -> break
    :: else ->
       /* Under the group lock: one message. */
       STEP(got = (there > 0); there = (there > 0 -> there - 1 : 0));
       if
       :: got ->
          got = false;
          pass_on();
#ifdef ONE_IS_BUSY
          /* Works on its message for ever: the rest is for the other one. */
          if :: me == 0 -> left == 0 && there == 0 :: else fi
#endif
       :: else ->
          STEP(epoch = (epoch + 1) % EPOCHS; someone_sleeps = true; expected = epoch);   /* announce */
          STEP(group_bit = true);
          if
#ifndef FAULT_NO_SECOND_LOOK
          :: there > 0 -> skip                          /* look again */
#endif
          :: else ->
             STEP(asleep[me] = (epoch == expected));    /* futex: only if nothing has changed */
             if
             :: !asleep[me]
             :: atomic { left == 0 && there == 0 -> asleep[me] = false }        /* the end wakes all */
             /* For what the dead have left undone. */
             :: atomic { timeout -> timeouts++; assert(timeouts <= deaths); asleep[me] = false }
             fi
          fi
       fi
    od;
dead:
    asleep[me] = false
}

init {
    atomic {
        run sender();
        if :: SENDERS > 1 -> run sender() :: else fi;
        run consumer(0);
        run consumer(1)
    }
}
