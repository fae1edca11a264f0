"""Parts of the study of graphene."""
