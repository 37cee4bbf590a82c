include sirikata
